"""The clinic's thresholds: what is in force, drafts, and switching one on."""

from collections.abc import Mapping
from typing import Any

from schemas.policy import (
    ActivationBody,
    PolicyAnswer,
    PolicyBody,
    PolicyVersionAnswer,
    PolicyVersionPage,
    SwitchedAnswer,
    VersionQuery,
)
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, reading, stepped_up, writing
from server.api.kept_answer import once
from server.api.paging import paged
from server.clinical.vocabulary import Role
from server.services.people import clinic as clinics
from server.services.watch import policy as policies
from server.services.watch import policy_replay as policy_replays

blueprint = Blueprint("policy", __name__, description="The clinic's thresholds, as versions")
STAFF = (Role.CLINICIAN, Role.COORDINATOR, Role.CLINIC_ADMIN)
# A larger number is none the database can hold.
_VERSION = "<int(min=1, max=999999999):policy_version>"


@blueprint.route("/clinic/policy", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, PolicyAnswer)
def get_policy() -> Any:
    """Read the policy in force: every threshold with its bounds, its source and what the clinic changed."""
    with reading() as work:
        known = policies.in_force(work)
        shown = policies.settings(clinics.policy(work), known.row.values)
        return _told(known) | {"thresholds": shown}


@blueprint.route("/clinic/policies", methods=["GET"])
@allow(*STAFF)
@blueprint.arguments(VersionQuery, location="query")
@blueprint.response(200, PolicyVersionPage)
def list_policies(query: Mapping[str, Any]) -> Any:
    """Read all versions, newest first: drafts, the one in force, and those it replaced."""
    with reading() as work:
        page = paged(
            query, lambda before, size: policies.page(work, before, size), lambda one: one.row.version
        )
        return page | {"items": [_told(one) for one in page["items"]]}


@blueprint.route("/clinic/policies", methods=["POST"])
@allow(Role.CLINICIAN)
@once()
@blueprint.arguments(PolicyBody)
@blueprint.response(201, PolicyVersionAnswer, headers=documented_headers("Location"))
def draft_policy(body: Mapping[str, Any]) -> Any:
    """Keep a draft. Its values are laid over the defaults: what it does not name is as by default.

    Everything that can't be taken is named at once. Nothing changes until the draft is activated.
    """
    with writing() as work:
        known = policies.draft(work, body["values"], body["reason"])
    return _told(known), 201, {"Location": f"/v1/clinic/policies/{known.row.version}"}


@blueprint.route(f"/clinic/policies/{_VERSION}", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, PolicyVersionAnswer)
def get_policy_version(policy_version: int) -> Any:
    """Read one version."""
    with reading() as work:
        return _told(policies.get(work, policy_version))


@blueprint.route(f"/clinic/policies/{_VERSION}/activate", methods=["POST"])
@allow(Role.CLINICIAN)
@stepped_up
@blueprint.arguments(ActivationBody)
@blueprint.response(200, SwitchedAnswer)
def activate_policy(body: Mapping[str, Any], policy_version: int) -> Any:
    """Put a draft in force from now on; what was judged before keeps its judgement. Again is harmless.

    Refused (409) where another version than you expect is in force, where a newer one was activated
    already, and where some patients' own values contradict it.
    """
    with writing() as work:
        reason, expected = body.get("reason"), body.get("expected_version")
        known = policies.activate(work, policy_version, reason, expected)
        replay = policy_replays.newest_of(work, policy_version)
    return _told(known) | {"replay": None if replay is None else f"/v1/clinic/policy-replays/{replay}"}


def _told(known: policies.KnownVersion) -> dict[str, Any]:
    activation = known.activation
    return {
        "row": known.row,
        "state": known.state,
        "created_by": known.created_by,
        "activated_at": None if activation is None else activation.activated_at,
        "activated_by": known.activated_by,
        "activation_reason": None if activation is None else activation.reason,
    }
