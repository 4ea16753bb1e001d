"""GNU Health, a real one: proposed, confirmed, cancelled, with answers lost and doubles healed."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from server.clinical.visit import Mapped, Proposed
from server.clinical.vocabulary import AlertClass, DeclineCode, PeerStatus
from server.gateways.egress import Egress
from server.gateways.message import SendError
from server.gateways.scheduling.gnuhealth import GnuHealthScheduling, check
from server.gateways.scheduling.port import PEER_LIMITS, Outside, SchedulingPort
from server.gateways.scheduling.tryton import Tryton, stamp
from tests.gateways.scheduling import gnuhealth
from tests.gateways.scheduling.contract import SchedulingContract
from tests.gateways.scheduling.proxy import Proxy, passing_on
from tests.gateways.scheduling.rig import Rig, moment, ten_oclock
from tests.gateways.web_peers import Answering, answering
from tests.ports import free_port

real = pytest.mark.skipif(not gnuhealth.is_here(), reason="GNU Health is not installed (make peers)")
OUTSIDE = Outside(Egress(allow_loopback=True, limits=PEER_LIMITS))
MODEL = "gnuhealth.appointment"
Sides = tuple[gnuhealth.GnuHealth, Proxy, SchedulingPort]


def config(port: int, **changes: Any) -> dict[str, Any]:
    return {
        "base_url": f"http://127.0.0.1:{port}",
        "database": gnuhealth.DATABASE,
        "user": gnuhealth.USER,
        "password": gnuhealth.PASSWORD,
        **changes,
    }


class GnuHealthRig(Rig):
    """Our adapter on one side, the clinic's admin on the other."""

    mapped = Mapped(patient=gnuhealth.PUID)
    secrets = (gnuhealth.PASSWORD, gnuhealth.USER)

    def __init__(self, clinic: gnuhealth.GnuHealth, proxy: Proxy, port: SchedulingPort) -> None:
        self.clinic, self.proxy, self.port = clinic, proxy, port

    def state(self, visit: Proposed, state: str, **values: Any) -> None:
        self.clinic.change(visit.external_id, state=state, **values)

    def visits(self, visit: Proposed) -> int:
        return sum("cancelled" not in row["state"] for row in self.clinic.appointments(str(visit.id)))

    def confirm(self, visit: Proposed, starts_at: datetime) -> None:
        self.state(visit, "confirmed", appointment_date=stamp(starts_at))

    def cancel(self, visit: Proposed) -> None:
        self.state(visit, "user_cancelled")

    def complete(self, visit: Proposed) -> None:
        self.state(visit, "done")

    def forget(self, visit: Proposed) -> None:
        self.clinic.ask(MODEL, "delete", [int(visit.external_id or 0)])

    def lose_answer(self, number: int) -> None:
        self.proxy.lose_answer(number)

    def has_lost(self) -> bool:
        return self.proxy.has_lost()

    def away(self) -> SchedulingPort:
        return GnuHealthScheduling(config(free_port()), OUTSIDE)

    def sent(self) -> bytes:
        return self.proxy.sent


@pytest.fixture(scope="module")
def gnuhealth_sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    """A running server, the proxy before it, and our adapter, which signs in once."""
    folder = tmp_path_factory.mktemp("gnuhealth")
    with gnuhealth.running(folder) as clinic, passing_on(Proxy(clinic.port)) as proxy:
        yield clinic, proxy, GnuHealthScheduling(config(proxy.port), OUTSIDE)


@pytest.fixture
def rig(gnuhealth_sides: Sides) -> GnuHealthRig:
    """Both sides."""
    return GnuHealthRig(*gnuhealth_sides)


@real
@pytest.mark.peers
class TestGnuHealth(SchedulingContract):
    """The contract."""


@real
@pytest.mark.peers
def test_staff_see_window_patient_and_provider_and_no_reason(rig: GnuHealthRig) -> None:
    rig.mapped = Mapped(str(rig.clinic.patient), "telemedicine", str(rig.clinic.provider))
    visit = rig.proposal(urgency=AlertClass.P1)
    rig.port.suggest(visit, moment())
    (row,) = rig.clinic.appointments(str(visit.id))
    assert (row["patient"], row["healthprof"]) == (rig.clinic.patient, rig.clinic.provider)
    assert (row["state"], row["urgency"]) == ("free", "b")
    window = f"{visit.earliest} to {visit.latest} (Europe/Oslo), 90 minutes"
    assert row["comments"] == f"Suggested visit: {window}. Reference afterglow:{visit.id}"


@real
@pytest.mark.peers
def test_what_the_clinic_has_not_mapped_is_as_its_settings_say(rig: GnuHealthRig) -> None:
    own = {"healthprof": rig.clinic.provider, "institution": rig.clinic.institution}
    port = GnuHealthScheduling(config(rig.proxy.port, appointment_type="homecare", **own), OUTSIDE)
    visit = rig.proposal()
    port.suggest(visit, moment())
    (row,) = rig.clinic.appointments(str(visit.id))
    assert {name: row[name] for name in own} == own
    assert (row["appointment_type"], row["visit_type"], row["urgency"]) == ("homecare", "followup", "a")


@real
@pytest.mark.peers
def test_two_workers_at_once_leave_one_visit_at_the_next_look(rig: GnuHealthRig) -> None:
    visit = rig.proposal()
    with ThreadPoolExecutor(2) as workers:
        ports = [GnuHealthScheduling(config(rig.proxy.port), OUTSIDE) for _ in range(2)]
        for done in [workers.submit(port.suggest, visit, moment()) for port in ports]:
            with suppress(SendError):
                done.result()
    rig.port.suggest(visit, moment())
    assert rig.visits(visit) == 1


@real
@pytest.mark.peers
def test_a_window_begins_at_midnight_where_the_patient_lives_and_is_no_time_of_a_visit(
    rig: GnuHealthRig,
) -> None:
    visit = rig.proposal(zone="Pacific/Auckland")
    seen = rig.port.suggest(visit, moment())
    assert (seen.starts_at, seen.ends_at) == (None, None)
    (row,) = rig.clinic.appointments(str(visit.id))
    midnight = datetime.combine(visit.earliest, datetime.min.time(), UTC)
    begins = row["appointment_date"]
    assert (begins["day"], begins["hour"]) != (midnight.day, midnight.hour)
    assert (begins["hour"], begins["minute"]) in ((11, 0), (12, 0))  # NZDT, NZST


@real
@pytest.mark.peers
def test_a_confirmed_visit_has_the_number_that_the_clinic_goes_by(rig: GnuHealthRig) -> None:
    visit = rig.suggested()
    rig.confirm(visit, ten_oclock(visit))
    (row,) = rig.clinic.appointments(str(visit.id))
    assert row["name"].startswith("APP ")


@real
@pytest.mark.peers
def test_what_staff_wrote_into_the_comments_stays(rig: GnuHealthRig) -> None:
    visit = rig.suggested()
    (row,) = rig.clinic.appointments(str(visit.id))
    rig.clinic.change(visit.external_id, comments=f"{row['comments']}\nAsk for a taxi.")
    rig.port.suggest(replace(visit, version=3, latest=visit.earliest), moment())
    (row,) = rig.clinic.appointments(str(visit.id))
    first, second = row["comments"].splitlines()
    assert first == "Ask for a taxi."
    assert f"{visit.earliest} to {visit.earliest}" in second


@real
@pytest.mark.peers
def test_what_staff_took_out_of_the_comments_is_still_found_by_its_number(rig: GnuHealthRig) -> None:
    visit = rig.suggested()
    rig.clinic.change(visit.external_id, comments="")
    assert rig.port.suggest(visit, moment()).external_id == visit.external_id
    assert rig.visits(visit) == 1


@real
@pytest.mark.peers
@pytest.mark.parametrize("booked", [0, 1])
def test_of_two_that_a_lost_answer_made_the_one_staff_have_booked_stays(
    rig: GnuHealthRig, booked: int
) -> None:
    visit = rig.suggested()
    double = {"patient": rig.clinic.patient, "state": "free", "comments": f"Reference afterglow:{visit.id}"}
    (other,) = rig.clinic.ask(MODEL, "create", [double])
    both = (visit.external_id, str(other))
    rig.state(replace(visit, external_id=both[booked]), "confirmed")
    seen = rig.port.suggest(visit, moment())
    assert (seen.external_id, seen.status) == (both[booked], PeerStatus.BOOKED)
    assert rig.visits(visit) == 1


@real
@pytest.mark.peers
@pytest.mark.parametrize(
    ("state", "status", "code"),
    [
        ("checked_in", PeerStatus.ARRIVED, None),
        ("no_show", PeerStatus.NOSHOW, None),
        ("user_cancelled", PeerStatus.DECLINED, DeclineCode.PATIENT_REFUSED),
        ("center_cancelled", PeerStatus.DECLINED, DeclineCode.OTHER),
    ],
)
def test_its_words_are_ours(
    rig: GnuHealthRig, state: str, status: PeerStatus, code: DeclineCode | None
) -> None:
    visit = rig.suggested()
    rig.state(visit, state)
    seen = rig.fetched(visit)
    assert (seen.status, seen.decline) == (status, code)


@real
@pytest.mark.peers
@pytest.mark.parametrize(
    ("mapped", "reason"),
    [
        (Mapped(), "patient_unmapped"),
        (Mapped("NOB000ODY"), "patient_unknown"),
        (Mapped("99999"), "patient_unknown"),
        (Mapped(gnuhealth.PUID, provider="99999"), "provider_unknown"),
        (Mapped(gnuhealth.PUID, provider="Bo"), "provider_unknown"),
        (Mapped(gnuhealth.PUID, appointment_type="infusion"), "appointment_type_unmapped"),
    ],
)
def test_what_is_not_mapped_or_not_there_is_said_and_makes_nothing(
    rig: GnuHealthRig, mapped: Mapped, reason: str
) -> None:
    rig.mapped = mapped
    visit = rig.proposal()
    with pytest.raises(SendError) as caught:
        rig.port.suggest(visit, moment())
    assert (caught.value.permanent, caught.value.reason) == (True, reason)
    assert rig.clinic.appointments(str(visit.id)) == []


@real
@pytest.mark.peers
def test_a_session_that_ended_is_begun_anew(rig: GnuHealthRig) -> None:
    visit = rig.suggested()
    *_, session = re.findall(rb"Authorization: Session (\S+)", rig.sent())
    rig.clinic.end(session.decode())
    assert rig.fetched(visit).status is PeerStatus.PROPOSED


@real
@pytest.mark.peers
@pytest.mark.parametrize(
    ("changes", "reason", "away"),
    [({"password": "wrong"}, "sign_in", True), ({"database": "other"}, "refused_404", False)],
)
def test_a_wrong_setting_is_named_and_may_be_mended(
    rig: GnuHealthRig, changes: dict[str, str], reason: str, away: bool
) -> None:
    port = GnuHealthScheduling(config(rig.proxy.port, **changes), OUTSIDE)
    with pytest.raises(SendError) as caught:
        port.fetch(rig.proposal(), moment())
    assert (caught.value.permanent, caught.value.reason, caught.value.away) == (False, reason, away)


@real
@pytest.mark.peers
def test_what_changed_between_reading_and_writing_is_not_overwritten(rig: GnuHealthRig) -> None:
    visit = rig.suggested()
    account = (gnuhealth.USER, gnuhealth.PASSWORD)
    tryton = Tryton(OUTSIDE.egress, f"http://127.0.0.1:{rig.proxy.port}", gnuhealth.DATABASE, account)
    (row,) = tryton.rows(MODEL, [["id", "=", int(visit.external_id or 0)]], ("id", "_timestamp"), moment())
    with pytest.raises(SendError) as caught:
        tryton.write(MODEL, {**row, "_timestamp": "1"}, {"state": "center_cancelled"}, moment())
    assert (caught.value.permanent, caught.value.reason) == (False, "changed_meanwhile")
    assert rig.fetched(visit).status is PeerStatus.PROPOSED


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"base_url": None}, "base_url: must be a text"),
        ({"base_url": "ftp://clinic.example"}, "base_url: must look like https"),
        ({"base_url": "http://clinic.example"}, "base_url: must start with https"),
        ({"base_url": "https://clinic.example/?a=1"}, "base_url: must hold no query"),
        ({"database": " "}, "database: must not be empty"),
        ({"user": "a:b"}, "user: must hold no colon"),
        ({"password": 7}, "password: must be a text"),
        ({"institution": True}, "institution: must be a whole number"),
        ({"healthprof": -1}, "healthprof: must be a whole number"),
        ({"appointment_type": "infusion"}, "appointment_type: must be one of outpatient"),
        ({"pasword": "x"}, "pasword: is not known"),
    ],
)
def test_a_setting_that_can_not_be_used_is_named(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check({**config(1, base_url="https://clinic.example"), **changes})


def test_settings_that_can_be_used_pass() -> None:
    check(config(1, base_url="https://clinic.example/tryton/", institution=1, appointment_type="homecare"))


def test_an_answer_that_is_none_leaves_it_in_doubt() -> None:
    with answering(Answering(200)) as port:
        adapter = GnuHealthScheduling(config(port), OUTSIDE)
        with pytest.raises(SendError) as caught:
            adapter.fetch(GnuHealthRig.proposal(Rig()), moment())
    assert (caught.value.reason, caught.value.in_doubt) == ("unreadable", True)
