"""Blueprints: load, call one service, dump. This edge owns its transaction and asks the clock."""

from server.api import (
    alert,
    alert_budget,
    alert_handling,
    blood_pressure,
    booking_suggestion,
    check_in_plan,
    clinic,
    contact_point,
    course,
    digest,
    entry,
    export,
    inbox,
    offered_visit,
    patient,
    patient_policy,
    policy,
    policy_replay,
    precaution,
    questionnaire_response,
    response_curve,
    rota,
    scale,
    side_effect,
    sign_in,
    sms_report,
    status,
    sync,
    timeline,
    today,
    treatment_session,
    trend,
    visit_yield,
    watch,
    webhook,
)

BLUEPRINTS = tuple(
    module.blueprint
    for module in (
        *(status, sign_in, clinic, policy, policy_replay, patient, patient_policy, course, treatment_session),
        *(entry, side_effect, questionnaire_response, scale, sync, today, check_in_plan, trend),
        *(timeline, export, watch, response_curve, alert, alert_handling, digest, alert_budget),
        *(precaution, blood_pressure, booking_suggestion, offered_visit, inbox, visit_yield),
        *(rota, contact_point, webhook, sms_report),
    )
)
