"""What a patient is told of who saw a day: what is true, and nothing that judges."""

from datetime import date

from server.clinical.seen_words import Sight, sentences

SECOND, THIRD = date(2026, 3, 2), date(2026, 3, 3)


def test_nothing_is_said_of_what_nobody_saw() -> None:
    assert sentences([]) == ()
    assert sentences([Sight(), Sight()]) == ()


def test_an_open_diary_is_not_called_read() -> None:
    assert sentences([Sight(opened=SECOND), Sight(opened=THIRD), Sight()]) == (
        "Your care team opened your diary on 3 March 2026.",
    )


def test_who_handles_an_alert_has_seen_the_day_or_the_part_of_it_that_was_there() -> None:
    both = Sight(opened=SECOND, handled=THIRD)
    assert sentences([both, Sight(handled=SECOND)]) == ("Your care team saw this on 3 March 2026.",)
    assert sentences([both, Sight(opened=THIRD)]) == ("Your care team saw part of this on 3 March 2026.",)
