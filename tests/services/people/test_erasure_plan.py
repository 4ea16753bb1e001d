"""Every table is asked whether it holds something of a patient: a new one has to be answered for."""

from sqlalchemy import Table, Uuid

from server.models import Base
from server.services.people import erasure_plan as plan

# Of the clinic, of its staff or of the service: nothing in them is about one patient.
NOBODYS = {
    "calendar_feeds",
    "clinic_digest_keys",
    "clinic_keys",
    "clinics",
    "consent_texts",
    "job_runs",
    "policy_activations",
    "policy_replays",
    "policy_versions",
    "scale_texts",
    "scheduling_connections",
}
# Ids without a key that name something of a patient from somewhere else, and why that is right.
LOOSE = {
    # found by them and deleted
    ("deliveries", "subject_id"): "deleted",
    ("scheduling_events", "suggestion_id"): "deleted",
    ("recoveries", "account_id"): "deleted",
    # an id of staff, or of what goes along with the row's own patient
    ("alert_events", "account_id"): "staff",
    ("alert_feedback", "account_id"): "staff",
    ("booking_suggestion_events", "account_id"): "staff",
    ("booking_suggestions", "alert_id"): "own",
    ("booking_suggestions", "treatment_session_id"): "own",
    ("consents", "account_id"): "staff, or own",
    ("deliveries", "bundle_id"): "set free before",
    ("deliveries", "contact_id"): "own",
    ("entry_revisions", "account_id"): "own",
    ("questionnaire_response_revisions", "account_id"): "own",
    ("review_tasks", "connection_id"): "the clinic's",
    ("scale_texts", "account_id"): "staff",
    ("tickets", "sign_in_id"): "own",
    ("watch_moves", "account_id"): "staff",
    ("zone_changes", "account_id"): "own",
    # stay as ids
    ("audit_events", "account_id"): "ids",
    ("audit_events", "patient_id"): "ids",
    ("erasures", "patient_id"): "ids",
}


def test_every_table_is_a_patient_s_or_said_to_be_nobody_s_or_said_why_it_stays() -> None:
    every = {table.name for table in Base.metadata.sorted_tables}
    covered = {table.name for table in plan.tables()}
    assert every - covered - plan.KEPT.keys() == NOBODYS, "is there anything of a patient in it?"
    assert covered & (NOBODYS | plan.KEPT.keys()) == set()


def test_every_table_that_names_a_patient_is_covered_or_said_why_not() -> None:
    naming = {table.name for table in Base.metadata.sorted_tables if "patient_id" in table.c}
    assert naming - {table.name for table in plan.tables()} <= plan.KEPT.keys()


def test_every_id_that_no_key_follows_was_looked_at() -> None:
    found = {(table.name, name) for table in Base.metadata.sorted_tables for name in _loose(table)}
    assert found == LOOSE.keys(), "could it lead to a patient's row that then is not found?"


def _loose(table: Table) -> list[str]:
    keyed = {column.name for key in table.foreign_key_constraints for column in key.columns}
    own = {"clinic_id", "patient_id"} if table.name in {one.name for one in plan.tables()} else {"clinic_id"}
    return [
        column.name
        for column in table.columns
        if isinstance(column.type, Uuid) and column.name.endswith("_id") and column.name not in keyed | own
    ]


def test_what_names_a_row_goes_before_that_row_and_the_patient_last() -> None:
    order = [table.name for table in plan.tables()]
    for table in plan.tables():
        for key in table.foreign_key_constraints:
            if key.referred_table.name in order and key.referred_table is not table:
                above = key.referred_table.name
                assert order.index(table.name) < order.index(above) or above == "accounts", table.name
    assert order.index("deliveries") < order.index("alerts")
    assert order[-1] == "patients"
