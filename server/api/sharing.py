"""Routes that share what a patient reported say on what consent that rests, and whose caregiver may pass."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from flask import g

from server.api import throttling
from server.api.contract_notes import with_doc
from server.api.edge import actor, here
from server.clinical.vocabulary import CareScope, Purpose
from server.services.people import caregiver as caregivers
from server.services.people import consent as consents
from server.services.people import patient as patients
from server.services.work import Actor, Work

P = ParamSpec("P")
R = TypeVar("R")
Check = Callable[[], None]
# Told with what an answer begins, it returns the check for the time while that is sent.
Still = Callable[[Work], Check]


def shares(*purposes: Purpose) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Say on which consents a view's answer rests. The view, or what it calls, asks for them.

    `tests/sharing_paths.toml` lists every route; a test withdraws each consent and calls.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        return with_doc(view, {"x-consent": [purpose.value for purpose in purposes]})

    return decorate


def cares_for(scope: CareScope) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a caregiver pass who may do ``scope`` for the patient in the path. Goes right below `allow`.

    From there on they act for that patient and find nobody else.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        def check(ids: Mapping[str, Any]) -> None:
            patient_id = ids["patient_id"]
            with here().database.read() as session:
                caregivers.acting(Work(session, here().clock(), actor()), patient_id, scope)
            g.actor = replace(actor(), patient_id=patient_id)

        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            check(kwargs)
            return view(*args, **kwargs)

        marks = {"x-consent": [Purpose.CAREGIVER.value], "x-scope": scope.value}
        # What comes too fast is heeded before this view is reached: of nobody else either.
        return with_doc(throttling.heeded_for(guarded, check), marks)

    return decorate


def leaving(work: Work, patient_id: UUID) -> None:
    """Make sure that a copy of the diary may leave: for the clinic's systems the team must read it too."""
    consents.require(work, patient_id, *consents.to_leave(work.actor.role))


def still_leaving(patient_id: UUID) -> Still:
    """Return what checks while an answer is sent: it raises once a copy may not leave any more."""
    return still_agreed(patient_id, actor(), *consents.to_leave(actor().role))


def still_agreed(patient_id: UUID, reader: Actor, *purposes: Purpose) -> Still:
    """Return what checks that the patient still agrees to ``purposes``, and to what the answer began with.

    Once they are about to be erased nobody agrees to anything any more: it raises NotFound.

    An answer is made of one snapshot: with substance use in it, it must end with that consent. So each
    check asks outside that snapshot.
    """
    around = here()

    def begun(began: Work) -> Check:
        asked = (*purposes, *consents.rests_on(began, patient_id))

        def check() -> None:
            with around.database.read() as session:
                now = Work(session, around.clock(), reader)
                patients.get(now, patient_id)
                consents.require(now, patient_id, *asked)

        return check

    return begun
