"""Blueprints: load, call one service, dump. This edge owns its transaction and asks the clock."""

from server.api import (
    alert,
    alert_budget,
    alert_handling,
    audit_event,
    booking_suggestion,
    check_in_plan,
    clinic,
    contact_point,
    course,
    digest,
    entry,
    export,
    inbox,
    patient,
    patient_policy,
    policy,
    policy_replay,
    questionnaire_response,
    response_curve,
    review_task,
    rota,
    scale,
    scheduling_connection,
    scheduling_copy,
    scheduling_event,
    scheduling_mapping,
    side_effect,
    sign_in,
    sms_report,
    status,
    sync,
    timeline,
    today,
    treatment_session,
    trend,
    watch,
    webhook,
    webhook_delivery,
)

BLUEPRINTS = tuple(
    module.blueprint
    for module in (
        *(status, sign_in, clinic, policy, policy_replay, patient, patient_policy, course, treatment_session),
        *(entry, side_effect, questionnaire_response, scale, sync, today, check_in_plan, trend),
        *(timeline, export, watch, response_curve, alert, alert_handling, digest, alert_budget),
        *(booking_suggestion, inbox, review_task, scheduling_connection, scheduling_mapping),
        *(scheduling_event, scheduling_copy, rota, contact_point, webhook, webhook_delivery, sms_report),
        audit_event,
    )
)
