"""The clinic's alert budget."""

from collections.abc import Mapping
from typing import Any

from schemas.alert_budget import AlertBudgetAnswer, AlertBudgetQuery
from server.api.body import Blueprint
from server.api.edge import allow, reading
from server.clinical.vocabulary import Role
from server.services.alerts import alert_budget as alert_budgets

blueprint = Blueprint("alert budget", __name__, description="How many alerts there are, and how good")


@blueprint.route("/alert-budget", methods=["GET"])
@allow(Role.CLINICIAN, Role.CLINIC_ADMIN)
@blueprint.arguments(AlertBudgetQuery, location="query")
@blueprint.response(200, AlertBudgetAnswer)
def get_alert_budget(query: Mapping[str, Any]) -> Any:
    """Read expected against actual alerts of the last weeks, and each rule's load and precision.

    Figures only: no patient is named. What was said of a rule (`/feedback`) outranks how the alert ended.
    """
    with reading() as work:
        return alert_budgets.read(work, query["weeks"])
