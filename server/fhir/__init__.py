"""FHIR R4 resources from our values and back: dictionaries in, dictionaries out; no clock, no network."""
