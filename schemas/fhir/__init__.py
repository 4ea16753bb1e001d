"""Wire shapes of the FHIR facade: its search parameters, and what it reads of resources sent to it."""
