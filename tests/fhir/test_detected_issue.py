"""An alert of every kind and state is FHIR; what it rests on is named as exactly as its kind allows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

from server.clinical.instruments.catalog import INSTRUMENTS
from server.clinical.vocabulary import AlertClass, AlertFamily, AlertState, Outcome
from server.fhir.detected_issue import DISPROVED, OF_OTHER, Ground, Raised, detected_issue
from server.fhir.identifiers import Resource
from server.fhir.reported import Entry, Filled
from tests.fhir.test_reported import ANA, FULL, filled
from tests.fhir.validators import Validators

OPENED = datetime(2026, 3, 2, 12, tzinfo=UTC)
RAISED = Raised(
    id=UUID(int=9),
    patient_id=ANA,
    family=AlertFamily.MOOD_RELAPSE,
    urgency=AlertClass.P2,
    state=AlertState.OPEN,
    codes=("R2:composite",),
    opened_at=OPENED,
    changed_at=OPENED,
    acknowledged_at=None,
    acknowledged_by=None,
    resolved_at=None,
    resolved_by=None,
    outcome=None,
    version=1,
    policy=3,
    is_about_substance_use=False,
    is_disproved=False,
    is_of_other=False,
)
PHQ9 = filled(INSTRUMENTS["phq-9"])
SEVERITIES = {AlertClass.P0: "high", AlertClass.P1: "high", AlertClass.P2: "moderate", AlertClass.P3: "low"}


def grounds(raised: Raised, *said: Entry | Filled) -> list[str]:
    """Return what an alert refers to."""
    ground = Ground(
        tuple(one for one in said if isinstance(one, Entry)),
        tuple(one for one in said if isinstance(one, Filled)),
    )
    (evidence,) = detected_issue(raised, ground)["evidence"]
    return [detail["reference"].replace(".", "/") for detail in evidence.get("detail", ())]


def numbers(raised: Raised, *said: Entry | Filled) -> list[str]:
    """Return the numbers of the Observations among them; of what is named as a whole, its kind."""
    return [
        one.rpartition("/")[2] if one.count("/") == 2 else one.partition("/")[0]
        for one in grounds(raised, *said)
    ]


def test_one_about_substance_use_has_its_label_and_the_notice(validators: Validators) -> None:
    made = detected_issue(replace(RAISED, is_about_substance_use=True), Ground())
    assert [label["code"] for label in made["meta"]["security"]] == ["ETH", "redisclosure"]
    assert validators.problems(made) == []
    assert "security" not in detected_issue(RAISED, Ground())["meta"]


def test_every_kind_and_urgency_is_fhir(validators: Validators) -> None:
    for family, urgency in product(AlertFamily, AlertClass):
        made = detected_issue(replace(RAISED, family=family, urgency=urgency), Ground((FULL,), (PHQ9,)))
        assert validators.problems(made) == [], (family, urgency)
        assert (made["status"], made["severity"]) == ("preliminary", SEVERITIES[urgency])
        assert not {"mitigation", "detail"} & made.keys()
    doubted = detected_issue(replace(RAISED, is_disproved=True, is_of_other=True), Ground())
    assert validators.problems(doubted) == []
    assert doubted["detail"] == f"{DISPROVED} {OF_OTHER}"


def test_what_was_done_about_it_is_a_mitigation_each(validators: Validators) -> None:
    later = OPENED + timedelta(hours=2)
    taken = replace(
        RAISED, state=AlertState.ACKNOWLEDGED, acknowledged_at=OPENED, acknowledged_by=UUID(int=1)
    )
    assert done(detected_issue(taken, Ground())) == ["acknowledged"]
    for outcome in Outcome:
        closed = replace(
            taken, state=AlertState.RESOLVED, outcome=outcome, resolved_at=later, resolved_by=UUID(int=2)
        )
        made = detected_issue(closed, Ground())
        assert validators.problems(made) == [], outcome
        assert (made["status"], done(made)) == ("final", ["acknowledged", outcome.value])
        assert made["mitigation"][1]["date"] == "2026-03-02T14:00:00Z"
    # The system itself takes nothing on, but a job may have closed it.
    nobody = replace(closed, resolved_by=None)
    assert "author" not in detected_issue(nobody, Ground())["mitigation"][1]


def done(made: Resource) -> list[str]:
    return [one["action"]["coding"][0]["code"] for one in made["mitigation"]]


def test_a_relapse_rests_on_the_numbers_of_its_arm() -> None:
    told = replace(FULL, items={"mood": 3, "pain_now": 7, "sleep_hours": 5})
    assert numbers(RAISED, told) == ["1", "9"]
    assert numbers(replace(RAISED, family=AlertFamily.PAIN_RELAPSE), told) == ["9", "15"]
    assert numbers(RAISED, replace(told, items={})) == ["QuestionnaireResponse"]


def test_a_side_effect_rests_on_its_finding_and_an_answer_on_what_was_filled_in() -> None:
    told = replace(FULL, side_effects={"nausea": 1, "chest_pain": 3})
    effect = replace(RAISED, family=AlertFamily.SIDE_EFFECT, codes=("chest_pain",))
    assert numbers(effect, told) == ["122"]
    safety = replace(RAISED, family=AlertFamily.SAFETY, codes=("safety_often", "phq9_item9_often"))
    assert numbers(safety, told, PHQ9) == ["QuestionnaireResponse", "QuestionnaireResponse"]
    assert numbers(RAISED, PHQ9, replace(PHQ9, total=None)) == ["1", "QuestionnaireResponse"]


def test_an_alert_that_rests_on_silence_names_nothing() -> None:
    assert grounds(replace(RAISED, family=AlertFamily.SILENCE)) == []
