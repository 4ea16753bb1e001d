"""Blueprints: load, call one service, dump. This edge owns its transaction and asks the clock."""

from server.api import (
    alert,
    booking_suggestion,
    clinic,
    course,
    entry,
    export,
    inbox,
    patient,
    questionnaire_response,
    scale,
    sign_in,
    status,
    sync,
    timeline,
    treatment_session,
    trend,
    watch,
)

BLUEPRINTS = tuple(
    module.blueprint
    for module in (
        *(status, sign_in, clinic, patient, course, treatment_session),
        *(entry, questionnaire_response, scale, sync, timeline, export, trend, watch),
        *(alert, booking_suggestion, inbox),
    )
)
