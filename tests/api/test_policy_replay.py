"""A draft policy tried on the clinic's past: asked for, worked on in slices, read, switched on."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from jobs import policy_replay as job
from jobs.around import Around
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.vocabulary import Channel, Source
from server.database import Database
from server.gateways.message import RecordingGateway
from server.models import AuditEvent, Entry, PolicyReplay, PolicyReplayPatient, PolicyVersion
from server.services.journal import entry as entries
from server.services.journal import past as pasts
from server.services.journal.incoming import Incoming
from server.services.journal.past import Tried
from server.services.people import patient as patients
from server.services.watch import policy_replay_run as runs
from server.services.work import Work, system
from server.settings import Settings
from tests.api.test_policy import drafted
from tests.api.test_watch import BAD, GOOD
from tests.cast import Cast
from tests.conftest import Clock, Scene
from tests.leaving import leaves
from tests.visits import Visits

LATER = {"relapse.enter_hits": 7, "relapse.enter_days": 7}
PATH = "/clinic/policy-replays"


@pytest.fixture
def around(database: Database, settings: Settings) -> Around:
    """The surroundings of the job."""
    return Around(database, settings, {Channel.EMAIL: RecordingGateway()})


def fall_ill(visits: Visits, clock: Clock) -> None:
    """Let Ana be well for three weeks after her session, then ill for one."""
    visits.session(visits.course(), clock.now - timedelta(days=31))
    clock.now -= timedelta(days=9)
    visits.log(20, items=GOOD)
    clock.forward(days=9)
    visits.log(9, items=BAD)


@pytest.fixture
def relapsed(visits: Visits, cast: Cast, clock: Clock, scene: Scene) -> Visits:
    """Ana was well for three weeks, then ill for one: an alert that Bo has closed as a relapse."""

    def play() -> None:
        fall_ill(visits, clock)
        (alert,) = cast.bo.get("/alerts").json["items"]
        body = {"outcome": "contacted", "note": "Called."}
        assert cast.bo.post(f"/alerts/{alert['id']}/resolve", body, alert["version"]).status_code == 200
        clock.forward(days=1)

    scene(play)
    return visits


@pytest.mark.long
def test_a_relapse_that_was_confirmed_counts_as_recorded_before_its_alert_is_closed(
    visits: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    fall_ill(visits, clock)
    (alert,) = cast.bo.get("/alerts").json["items"]
    body = {"verdict": "confirmed", "reason": "Seen today."}
    assert cast.bo.post(f"/alerts/{alert['id']}/verdict", body, alert["version"]).status_code == 200
    clock.forward(days=1)
    replay = queued(cast, values=LATER)
    job.run(around, clock.now)
    result = cast.bo.get(f"{PATH}/{replay}").json["result"]
    assert (result["relapses"], result["current"]["missed_relapses"]) == (1, 0)


@pytest.mark.long
@pytest.mark.parametrize(("second", "recorded"), [("confirmed", ["mood", "mood"]), ("dismissed", ["mood"])])
def test_a_relapse_that_came_back_in_an_alert_nobody_closed_is_another_one(
    visits: Visits, cast: Cast, clock: Clock, around: Around, second: str, recorded: list[str]
) -> None:
    fall_ill(visits, clock)
    judged(cast, "confirmed")
    visits.session(visits.course(), clock.now)
    clock.forward(days=30)
    visits.log(30, items=GOOD)
    clock.forward(days=9)
    visits.log(9, items=BAD)
    judged(cast, second)  # the first verdict was on what came before, and stands
    with around.database.read() as session:
        work = Work(session, clock.now, system(cast.bo.clinic_id))
        tried = Tried(date(2026, 1, 1), clock.now.date(), (DEFAULT_POLICY, DEFAULT_POLICY))
        (past,) = pasts.read(work, None, 5, tried)
    assert [arm for arm, _ in past.relapses] == recorded


def judged(cast: Cast, verdict: str) -> None:
    (alert,) = cast.bo.get("/alerts").json["items"]
    body = {"verdict": verdict, "reason": "Seen today."}
    assert cast.bo.post(f"/alerts/{alert['id']}/verdict", body, alert["version"]).status_code == 200


def queued(cast: Cast, **body: Any) -> str:
    answer = cast.bo.post(PATH, body)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"/v1{PATH}/{answer.json['id']}"
    return str(answer.json["id"])


@contextmanager
def worker(around: Around, cast: Cast, clock: Clock) -> Iterator[Work]:
    with around.database.write() as session:
        yield Work(session, clock.now, system(cast.bo.clinic_id))


def test_a_draft_is_queued_worked_on_and_read_beside_the_policy_in_force(
    relapsed: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    version = drafted(cast, LATER)
    replay = queued(cast, version=version)
    waiting = cast.bo.get(f"{PATH}/{replay}").json
    assert (waiting["state"], waiting["done"], waiting["total"], waiting["result"]) == ("queued", 0, 1, None)
    assert (waiting["first"], waiting["last"]) == ("2025-09-04", "2026-03-02")
    assert job.run(around, clock.now) == 1
    done = cast.admin.get(f"{PATH}/{replay}").json
    assert (done["state"], done["done"], done["total"], done["draft_version"]) == ("done", 1, 1, version)
    result = done["result"]
    assert (result["patients"], result["differing"], result["relapses"]) == (1, 1, 1)
    current, draft = result["current"], result["draft"]
    assert (current["alarms"], draft["alarms"], current["missed_relapses"]) == (1, 1, 0)
    assert current["lead_relapse_days"] - draft["lead_relapse_days"] == 6
    (one,) = cast.bo.get(f"{PATH}/{replay}/patients").json["items"]
    assert one["patient_id"] == str(cast.ana.patient_id)
    (arm,) = one["arms"]
    assert (arm["arm"], arm["current_alarms"], arm["draft_alarms"]) == ("mood", 1, 1)
    assert arm["current_first"] < arm["draft_first"]
    switched = cast.bo.post(f"/clinic/policies/{version}/activate", {}).json
    assert switched["replay"] == f"/v1{PATH}/{replay}"


def test_who_runs_the_clinic_reads_the_figures_and_no_patient(
    relapsed: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    replay = cast.admin.post(PATH, {"values": LATER}).json["id"]
    job.run(around, clock.now)
    assert cast.admin.get(f"{PATH}/{replay}").json["result"]["differing"] == 1
    assert cast.admin.get(f"{PATH}/{replay}/patients").status_code == 403
    assert cast.admin.post(f"{relapsed.ana}/break-glass", {"reason": "An emergency."}).status_code == 201
    assert cast.admin.get(f"{PATH}/{replay}/patients").status_code == 403, "it names others too"


def test_what_the_replay_says_of_the_policy_in_force_is_what_the_watch_said(
    relapsed: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    replay = queued(cast, values=LATER)
    job.run(around, clock.now)
    (one,) = cast.bo.get(f"{PATH}/{replay}/patients").json["items"]
    history = cast.bo.get(f"{relapsed.ana}/watch").json["arms"][0]["history"]
    first_signal = next(day["day"] for day in history if day["signal"])
    assert one["arms"][0]["current_first"] == first_signal


def test_who_is_about_to_be_erased_is_in_no_replay_s_list_any_more(
    relapsed: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    replay = queued(cast, values=LATER)
    job.run(around, clock.now)
    assert len(cast.bo.get(f"{PATH}/{replay}/patients").json["items"]) == 1
    leaves(cast)
    assert cast.bo.get(f"{PATH}/{replay}/patients").json["items"] == []


def test_who_is_about_to_be_erased_is_not_read_for_a_replay(
    relapsed: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    leaves(cast)
    replay = queued(cast, values=LATER)
    job.run(around, clock.now)
    done = cast.bo.get(f"{PATH}/{replay}").json
    assert (done["state"], done["total"], done["result"]["patients"]) == ("done", 0, 0)


def test_the_patients_own_values_are_in_force_in_a_replay_too(
    relapsed: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    own = {"values": LATER, "reason": "Restless weeks are usual."}
    assert cast.bo.put(f"{relapsed.ana}/policy", own).status_code == 200
    replay = queued(cast, values={"relapse.leave_days": 8})
    job.run(around, clock.now)
    result = cast.bo.get(f"{PATH}/{replay}").json["result"]
    assert (result["differing"], result["current"]["alarms"]) == (0, 1)
    assert result["current"] == result["draft"]


def test_a_killed_worker_is_followed_by_another_that_goes_on_where_it_stopped(
    relapsed: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    with around.database.write() as session:
        for name in ("Gus", "Hal", "Ida"):
            work = Work(session, clock.now, system(cast.bo.clinic_id))
            patients.create(work, {"name": name, "zone": "Europe/Oslo"})
    replay = UUID(queued(cast, values=LATER))
    with worker(around, cast, clock) as work:
        killed = runs.take(work, job.LEASE)
    assert killed is not None
    with worker(around, cast, clock) as work:
        (first, _) = runs.next_slice(work, killed, 2, job.LEASE) or ()
    with worker(around, cast, clock) as work:
        assert runs.keep(work, killed, UUID(first.patient_id), [], 1)
    assert job.run(around, clock.now) == 0, "it is in the hands of another worker"
    assert cast.bo.get(f"{PATH}/{replay}").json["done"] == 1
    clock.now += job.LEASE
    assert job.run(around, clock.now) == 3
    found = cast.bo.get(f"{PATH}/{replay}").json
    assert (found["state"], found["done"], found["total"]) == ("done", 4, 4)
    with worker(around, cast, clock) as work:
        assert runs.next_slice(work, killed, 2, job.LEASE) is None, "the first one is not dead after all"
    with worker(around, cast, clock) as work:
        assert not runs.keep(work, killed, UUID(first.patient_id), [], 1)
        assert not runs.finish(work, killed, {})


def test_a_worker_that_was_taken_for_dead_finds_its_replay_in_other_hands(
    relapsed: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    queued(cast, values=LATER)
    with worker(around, cast, clock) as work:
        slow = runs.take(work, job.LEASE)
    clock.now += job.LEASE
    with worker(around, cast, clock) as work:
        second = runs.take(work, job.LEASE)
    assert slow is not None
    assert second is not None
    assert (slow.id, slow.attempt, second.attempt) == (second.id, 1, 2)
    with worker(around, cast, clock) as work:
        assert runs.next_slice(work, slow, 2, job.LEASE) is None
        assert not runs.keep(work, slow, uuid7(), [], 1)
        assert not runs.finish(work, slow, {})
        runs.fail(work, slow, "slow")
        runs.release(work, slow)
    with worker(around, cast, clock) as work:
        assert runs.next_slice(work, second, 2, job.LEASE)


def test_a_replay_whose_workers_all_die_is_ended(cast: Cast, clock: Clock, around: Around) -> None:
    replay = queued(cast, values=LATER)
    for _ in range(runs.MOST_TRIES):
        with worker(around, cast, clock) as work:
            assert runs.take(work, job.LEASE) is not None
        clock.now += job.LEASE
    assert job.run(around, clock.now) == 0
    found = cast.bo.get(f"{PATH}/{replay}").json
    assert (found["state"], found["failure"]) == ("failed", "worker_died")


def test_what_can_not_be_judged_ends_the_replay_by_the_name_of_its_kind_alone(
    relapsed: Visits, cast: Cast, clock: Clock, around: Around, caplog: pytest.LogCaptureFixture
) -> None:
    replay, after_it = queued(cast, values=LATER), queued(cast, values={})
    with around.database.write() as session:
        for row in session.query(Entry):
            row.items = {"mood": "canary"}  # type: ignore[dict-item]
    job.run(around, clock.now)
    found = cast.bo.get(f"{PATH}/{replay}").json
    assert (found["state"], found["failure"]) == ("failed", "TypeError")
    assert cast.bo.get(f"{PATH}/{after_it}").json["state"] == "failed", "each is tried by itself"
    assert "canary" not in caplog.text
    assert "TypeError" in caplog.text


def test_a_draft_that_a_newer_version_of_ours_would_refuse_is_ended_and_holds_nobody_up(
    cast: Cast, clock: Clock, around: Around
) -> None:
    replay, after_it = queued(cast, values=LATER), queued(cast, values={})
    with around.database.write() as session:
        session.get_one(PolicyReplay, (cast.bo.clinic_id, UUID(replay))).values = {"gone.key": 1.0}
    job.run(around, clock.now)
    found = cast.bo.get(f"{PATH}/{replay}").json
    assert (found["state"], found["failure"]) == ("failed", "policy_out_of_bounds")
    assert cast.bo.get(f"{PATH}/{after_it}").json["state"] == "done"


def test_a_policy_in_force_that_later_rules_would_refuse_is_compared_with_as_it_is(
    relapsed: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    with around.database.write(cast.bo.clinic_id) as session:
        stored = session.get_one(PolicyVersion, (cast.bo.clinic_id, 1))
        stored.values = {"baseline.window_days": 28, "baseline.latest_days": 21, "no.such": 1}
    replay = queued(cast, values={})
    assert job.run(around, clock.now) == 1
    found = cast.bo.get(f"{PATH}/{replay}").json
    assert (found["state"], found["failure"]) == ("done", None)
    assert [one["alarms"] for one in (found["result"]["current"], found["result"]["draft"])] == [0, 1]


def test_one_replay_of_a_clinic_runs_at_a_time_and_the_others_wait_their_turn(
    cast: Cast, clock: Clock, around: Around
) -> None:
    first, second = queued(cast, values=LATER), queued(cast, values={})
    taken: list[Any] = []
    start = threading.Barrier(2)

    def look() -> None:
        start.wait()
        with worker(around, cast, clock) as work:
            taken.append(runs.take(work, job.LEASE))

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one is None for one in taken) == [False, True]
    states = {one["id"]: one["state"] for one in cast.bo.get(PATH).json["items"]}
    assert states == {first: "running", second: "queued"}
    clock.now += job.LEASE
    assert job.run(around, clock.now) == 2
    listed = cast.bo.get(f"{PATH}?limit=1").json
    assert (listed["items"][0]["id"], listed["items"][0]["state"]) == (second, "done")
    older = cast.bo.get(f"{PATH}?cursor={listed['next_cursor']}").json["items"]
    assert [one["id"] for one in older] == [first]


def test_a_cancelled_replay_stops_and_keeps_nothing_of_anybody(
    relapsed: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    replay = queued(cast, values=LATER)
    with worker(around, cast, clock) as work:
        taken = runs.take(work, job.LEASE)
    assert taken is not None
    with worker(around, cast, clock) as work:
        outcome = runs.Outcome(cast.ana.patient_id or uuid7(), True, {"arms": {}})
        assert runs.keep(work, taken, outcome.patient_id, [outcome], 1)
    for _ in range(2):
        assert cast.bo.delete(f"{PATH}/{replay}").status_code == 204
    with worker(around, cast, clock) as work:
        assert runs.next_slice(work, taken, 2, job.LEASE) is None
        assert work.session.query(PolicyReplayPatient).count() == 0
    assert cast.bo.get(f"{PATH}/{replay}").json["state"] == "cancelled"
    assert job.run(around, clock.now) == 0


def test_a_replay_that_is_done_can_not_be_cancelled(cast: Cast, clock: Clock, around: Around) -> None:
    replay = queued(cast, values={})
    job.run(around, clock.now)
    refused = cast.bo.delete(f"{PATH}/{replay}")
    assert (refused.status_code, refused.json["code"]) == (409, "illegal-move")


def test_a_worker_that_is_told_to_stop_lets_the_next_one_go_on_at_once(
    cast: Cast, clock: Clock, around: Around
) -> None:
    replay = queued(cast, values={})
    with worker(around, cast, clock) as work:
        taken = runs.take(work, job.LEASE)
        assert taken is not None
    with worker(around, cast, clock) as work:
        runs.release(work, taken)
    assert job.run(around, clock.now) == 1
    assert cast.bo.get(f"{PATH}/{replay}").json["state"] == "done"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/values"]),
        ({"values": {}, "version": 1}, ["/values"]),
        (
            {"values": {"relapse.ewma_limit": 9, "no.such": 1}},
            ["/values/no.such", "/values/relapse.ewma_limit"],
        ),
        ({"values": {}, "last": "2026-04-01"}, ["/last"]),
        ({"values": {}, "first": "2026-03-01", "last": "2026-02-01"}, ["/first"]),
        ({"values": {}, "first": "2020-01-01"}, ["/first"]),
        ({"version": 0}, ["/version"]),
    ],
)
def test_a_replay_that_can_not_be_is_refused_and_says_why(
    cast: Cast, body: dict[str, Any], pointers: list[str]
) -> None:
    answer = cast.bo.post(PATH, body)
    assert (answer.status_code, [one["pointer"] for one in answer.json["errors"]]) == (422, pointers)


def test_a_draft_that_contradicts_what_a_patient_has_is_refused_before_any_work(cast: Cast) -> None:
    own = {"values": {"baseline.min_days": 14}, "reason": "Long series."}
    cast.bo.put(f"/patients/{cast.ana.patient_id}/policy", own)
    refused = cast.bo.post(PATH, {"values": {"baseline.window_days": 12}})
    assert (refused.status_code, refused.json["code"]) == (409, "contradicts-patients")


def test_cyd_finds_nothing_of_it_and_coordinators_and_patients_may_not(cast: Cast) -> None:
    replay = queued(cast, version=drafted(cast, LATER))
    for method, path in (("GET", ""), ("GET", "/patients"), ("DELETE", "")):
        assert cast.cyd.send(method, f"{PATH}/{replay}{path}").status_code == 404
        for person in (cast.coordinator, cast.scheduler, cast.ana):
            assert person.send(method, f"{PATH}/{replay}{path}").status_code == 403
    assert cast.cyd.get(PATH).json["items"] == []
    assert cast.cyd.post(PATH, {"version": 2}).status_code == 404
    cast.cyd.post("/clinic/policies", {"values": {}, "reason": "Ours."})
    assert cast.cyd.post("/clinic/policies/2/activate", {}).json["replay"] is None
    for person in (cast.coordinator, cast.scheduler, cast.ana):
        assert person.post(PATH, {"version": 1}).status_code == 403


def test_whose_past_was_read_is_on_record_and_what_came_out_is_sealed(
    relapsed: Visits, cast: Cast, clock: Clock, around: Around, database: Database
) -> None:
    replay = queued(cast, values=LATER)
    job.run(around, clock.now)
    cast.bo.get(f"{PATH}/{replay}")
    cast.bo.get(f"{PATH}/{replay}/patients")
    with database.read() as session:
        ours = session.query(AuditEvent).filter(AuditEvent.action.like("policy-replay.%"))
        assert [(row.action.partition(".")[2], row.patient_id) for row in ours.order_by(AuditEvent.id)] == [
            ("create", None),
            ("patient", cast.ana.patient_id),
            ("read", None),
            ("differences", cast.ana.patient_id),
        ]
        assert {row.account_id for row in ours} == {cast.bo.account_id}
        row = session.get_one(PolicyReplay, (cast.bo.clinic_id, UUID(replay)))
        kept = session.query(PolicyReplayPatient).one()
        assert b"alarms" not in (row.sealed_result or b"") + kept.sealed_found


def test_older_days_that_a_baseline_rests_on_are_read_and_the_rest_is_not(
    visits: Visits, cast: Cast, clock: Clock, database: Database
) -> None:
    course = visits.course(started_on="2025-01-01")
    for back in (400, 200):
        visits.session(course, clock.now - timedelta(days=back))
    with database.write() as session:
        for back in (420, 418, 414, 400, 399, 330, 311, 200, 130, 112, 111, 86, 85, 3):
            felt = clock.now - timedelta(days=back)
            content = {"occurred_at": felt, "zone": "Europe/Oslo", "items": {"mood": back % 10}}
            more: dict[str, Any] = {"side_effects": {}, "medication": {}, "tags": []}
            written = Incoming(uuid7(), content | more, source=Source.IMPORT)
            assert cast.ana.patient_id is not None
            entries.put(visits.work(session), cast.ana.patient_id, written)
    replay = queued(cast, values={}, first="2026-02-28", last="2026-03-01")
    around = visits.work
    with database.write() as session:
        taken = runs.take(around(session), job.LEASE)
        assert taken is not None
        (past,) = runs.next_slice(around(session), taken, 5, job.LEASE) or ()
    assert str(taken.id) == replay
    read = sorted((clock.now.date() - _day(one)).days for one in json.loads(past.entries))
    assert read == [3, 85, 112, 130, 200, 330, 399, 400, 414, 420]


def _day(one: list[Any]) -> date:
    return date.fromisoformat(one[0])
