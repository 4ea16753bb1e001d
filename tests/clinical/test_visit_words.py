"""A visit in the words Ana reads: neutral, on her own clock, and the same for every way it came about."""

from datetime import UTC, date, datetime, timedelta

import pytest

from server.clinical.visit_words import Offer, state_of, tell
from server.clinical.vocabulary import Language, OfferedVisitState, SuggestionState

S, V = SuggestionState, OfferedVisitState
AT = datetime(2026, 3, 29, 7, 30, tzinfo=UTC)
HOURS = timedelta(hours=2)
# What would tell why a visit is suggested, or what it is for.
CLINICAL = "relapse symptom benefit maintenance treatment session ketamine mood pain urgent review guard"


def offer(
    earliest: int = 5, latest: int = 12, at: datetime | None = None, clinic: str = "Europe/Oslo"
) -> Offer:
    ends = None if at is None else at + HOURS
    return Offer(date(2026, 3, earliest), date(2026, 3, latest), at, at, ends, "Europe/Oslo", clinic)


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        *((state, V.OFFERED) for state in (S.SUGGESTED, S.SENT, S.ACKNOWLEDGED, S.NEEDS_ATTENTION)),
        *((state, V.BOOKED) for state in (S.BOOKED, S.ARRIVED)),
        *((state, V.OVER) for state in (S.FULFILLED, S.NOSHOW)),
        *((state, V.ENDED) for state in (S.DECLINED, S.EXPIRED, S.WITHDRAWN, S.SUPERSEDED, S.CANCELLED)),
    ],
)
def test_how_a_visit_got_where_it_stands_is_not_hers_to_guess(state: S, shown: V) -> None:
    assert state_of(state, offer(), AT) is shown
    ahead = V.TIME_PROPOSED if shown is V.OFFERED else shown
    assert state_of(state, offer(at=AT), AT - HOURS) is ahead


@pytest.mark.parametrize("state", [S.SUGGESTED, S.SENT, S.ACKNOWLEDGED, S.NEEDS_ATTENTION])
def test_a_time_that_has_passed_is_not_asked_about(state: S) -> None:
    assert state_of(state, offer(at=AT), AT) is V.OFFERED


@pytest.mark.parametrize("state", [S.BOOKED, S.ARRIVED, S.EXPIRED])
def test_an_appointment_that_nobody_reported_on_is_over_with_its_time(state: S) -> None:
    assert state_of(state, offer(at=AT), AT + HOURS / 2) is not V.OVER
    assert state_of(state, offer(at=AT), AT + HOURS) is V.OVER


def test_every_state_is_one_sentence_in_neutral_words() -> None:
    told = {
        V.OFFERED: "Your clinic would like to arrange a visit between 5 March 2026 and 12 March 2026.",
        V.TIME_PROPOSED: "Your clinic asks whether you could come on 29 March 2026 at 09:30.",
        V.BOOKED: "You have an appointment on 29 March 2026 at 09:30.",
        V.OVER: "This visit is over.",
        V.ENDED: "This visit is not planned any more. Your clinic can tell you more.",
    }
    for state in V:
        assert tell(state, offer(at=AT), Language.EN) == told[state]
        assert [word for word in CLINICAL.split() if word in told[state].lower()] == []


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.EN, "on 29 March 2026 at 09:30 your time (29 March 2026 at 00:30 clinic time)."),
        (
            Language.DE,
            "am 29. März 2026 um 09:30 Uhr Ihrer Zeit (29. März 2026 um 00:30 Uhr am Ort der Klinik).",
        ),
        (
            Language.ES,
            "a las 09:30, hora de donde usted está (29 de marzo de 2026 a las 00:30, hora de la clínica).",
        ),
        (
            Language.FR,
            "à 09:30, heure de l'endroit où vous êtes (29 mars 2026 à 00:30, heure de la clinique).",
        ),
        (Language.NB, "29. mars 2026 kl. 09:30 der du er (29. mars 2026 kl. 00:30 ved klinikken)."),
    ],
)
def test_who_is_away_reads_the_clinics_time_beside_their_own(language: Language, said: str) -> None:
    assert tell(V.BOOKED, offer(at=AT, clinic="America/Los_Angeles"), language).endswith(said)
    same_clock = offer(at=AT, clinic="Europe/Berlin")
    assert tell(V.TIME_PROPOSED, same_clock, language) == tell(V.TIME_PROPOSED, offer(at=AT), language)


def test_a_window_of_one_day_is_that_day() -> None:
    assert (
        tell(V.OFFERED, offer(5, 5), Language.EN)
        == "Your clinic would like to arrange a visit on 5 March 2026."
    )


@pytest.mark.parametrize(
    ("language", "asked", "between"),
    [
        (Language.DE, "am 29. März 2026 um 09:30 Uhr", "zwischen dem 5. März 2026 und dem 12. März 2026"),
        (Language.ES, "el 29 de marzo de 2026 a las 09:30", "entre el 5 de marzo de 2026 y el 12 de marzo"),
        (Language.FR, "le 29 mars 2026 à 09:30", "entre le 5 mars 2026 et le 12 mars 2026"),
        (Language.NB, "29. mars 2026 kl. 09:30", "mellom 5. mars 2026 og 12. mars 2026"),
    ],
)
def test_it_is_said_in_the_language_of_who_reads(language: Language, asked: str, between: str) -> None:
    assert asked in tell(V.TIME_PROPOSED, offer(at=AT), language)
    assert asked in tell(V.BOOKED, offer(at=AT), language)
    assert between in tell(V.OFFERED, offer(), language)
    told = {tell(state, offer(at=AT), language) for state in V}
    assert len(told) == len(V)
    assert not told & {tell(state, offer(at=AT), Language.EN) for state in V}


def test_the_first_of_a_month_is_the_first_in_french() -> None:
    assert "entre le 1er mars 2026 et le 12 mars 2026" in tell(V.OFFERED, offer(1, 12), Language.FR)
    assert "zwischen dem 1. März 2026 und" in tell(V.OFFERED, offer(1, 12), Language.DE)


@pytest.mark.parametrize("state", [S.CANCELLED, S.DECLINED, S.WITHDRAWN])
def test_a_visit_that_was_called_off_is_not_said_to_be_over_once_its_time_has_passed(state: S) -> None:
    assert state_of(state, offer(at=AT), AT + 2 * HOURS) is V.ENDED
