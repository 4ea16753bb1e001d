"""The FHIR R4 facade under /fhir/R4: the same services, the same sign-in, FHIR's shapes and errors."""

from server.api.fhir import (
    appointment,
    appointment_response,
    detected_issue,
    everything,
    metadata,
    observation,
    patient,
    provenance,
    questionnaire_response,
    service_request,
)

BLUEPRINTS = tuple(
    module.blueprint
    for module in (
        *(metadata, service_request, appointment, appointment_response),
        *(patient, everything, questionnaire_response, observation, provenance, detected_issue),
    )
)
