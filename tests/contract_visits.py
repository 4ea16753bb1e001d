"""The part of the contract's story that is about visits: what speaks against one, and what is suggested."""

from collections.abc import Callable
from typing import Any

from schemas.blood_pressure import BloodPressureBody
from schemas.precaution import PrecautionBody
from tests.contract_rota import Tokens

Ask = Callable[..., Any]


def play(ask: Ask, clinic: Tokens, patient: str) -> None:
    """Bo records a precaution and a blood pressure, ends the one and takes the other back."""
    bo, named = clinic.clinician, {"patient_id": patient}
    path = "/v1/patients/{patient_id}/"
    one = ask(bo, f"post {path}precautions", PrecautionBody.EXAMPLE, **named)["id"]
    ask(bo, f"get {path}precautions", **named)
    ask(bo, f"post {path}precautions/{{precaution_id}}/end", **named, precaution_id=one, version=1)
    pressure = ask(bo, f"post {path}blood-pressures", BloodPressureBody.EXAMPLE, **named)["id"]
    ask(bo, f"get {path}blood-pressures", **named)
    ask(bo, f"post {path}blood-pressures/{{pressure_id}}/withdraw", **named, pressure_id=pressure, version=1)
    ask(bo, "get /v1/booking-suggestions", query="?blocked=true")
