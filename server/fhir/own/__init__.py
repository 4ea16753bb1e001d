"""What a patient's own export has beyond the facade: written for the patient themself, never for a system.

Notes and tags, every version, what was taken back, the phone's clock, courses, sessions, zones and the
check-in plan. The facade (`server.api.fhir`) imports nothing of it but the file's writer, which only the
patient's own export calls.
"""
