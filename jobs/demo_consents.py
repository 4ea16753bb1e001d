"""What the demo clinic asks its patients to agree to. A real clinic writes its own."""

from collections.abc import Mapping
from dataclasses import replace

from server.clinical.vocabulary import CareScope, ConsentWay, Language, Purpose, Relation, Role
from server.services.people import account as accounts
from server.services.people import caregiver as caregivers
from server.services.people import caregiver_invitation as caregiver_invitations
from server.services.people import consent_answer
from server.services.people import consent_text as consent_texts
from server.services.people import invitation as invitations
from server.services.people.account import NewAccount
from server.services.people.consent_answer import Answer
from server.services.people.invitation import Claim
from server.services.people.passwords import Passwords
from server.services.work import Actor, Work

_TEXTS: Mapping[Purpose, tuple[str, str]] = {
    Purpose.CARE_TEAM: (
        "Your care team reads your diary",
        "The clinicians and coordinators of this clinic may read what you log. If you withdraw this, they "
        "stop reading at once. An answer that cannot wait still reaches them.",
    ),
    Purpose.EMAIL: ("Messages by e-mail", "We may remind you by e-mail. No message says anything of health."),
    Purpose.SMS: ("Messages by SMS", "We may remind you by SMS. You can answer STOP at any time."),
    Purpose.PUSH: ("Messages on your phone", "We may remind you by notifications on your phone."),
    Purpose.EXPORT: (
        "Copies of your diary",
        "Your diary may be downloaded by you, and read by the clinic's record system.",
    ),
    Purpose.RESEARCH: (
        "Research",
        "Your numbers, without name, dates and your own words, may be used for research. You can withdraw "
        "this; what was handed over before cannot be called back.",
    ),
    Purpose.CAREGIVER: (
        "People who look after you",
        "You may invite people who log for you or read with you. You see what they do, and can end it.",
    ),
    Purpose.SUBSTANCE_USE: (
        "Answers about alcohol and drugs",
        "Without this, your answers about alcohol and drugs stay in the diary and leave it in no copy.",
    ),
}


def publish(work: Work) -> None:
    """Publish version 1 of every text, in English."""
    for purpose, (title, text) in _TEXTS.items():
        consent_texts.publish(work, purpose, {"en": {"title": title, "text": text}}, material=True)


def let_in(work: Work, sign_in: tuple[str, str], passwords: Passwords) -> None:
    """Let the demo's patient, who acts, agree to a caregiver (e-mail, password) who may do everything."""
    email, password = sign_in
    assert work.actor.patient_id is not None, "a patient invites"
    yes = Answer(given=True, version=1, language=Language.EN, way=ConsentWay.APP)
    consent_answer.record(work, work.actor.patient_id, Purpose.CAREGIVER, yes)
    wanted = {"name": "Gus", "email": email, "relation": Relation.PARTNER, "scopes": list(CareScope)}
    row, invited = caregiver_invitations.invite(work, work.actor.patient_id, wanted)
    assert invited.word is not None, "a caregiver is told a word"
    invitations.claim(work.session, work.now, Claim(code=invited.code, email=email, proof=invited.word))
    # Not enrolled: the demo's password is one of those that nobody may choose.
    gus = accounts.create(work, NewAccount(Role.CAREGIVER, "Gus", email, password), passwords)
    caregivers.accept(replace(work, actor=Actor(work.clinic_id, gus.id, Role.CAREGIVER)), row, gus)
