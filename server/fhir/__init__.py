"""FHIR R4 resources: values in, JSON objects out, and back. Pure; `server.api.fhir` answers with them."""
