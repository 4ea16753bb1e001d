"""The part of the marked story in which somebody new signs in, with everything that can be typed there."""

from datetime import timedelta
from typing import Any

from server.clinical.vocabulary import Channel
from server.services.people import totp
from tests.authenticator import Authenticator
from tests.cast import PASSWORD

GUS = {"email": "gus@demo.example", "password": "a password of his own"}
WORD = "the word of gus"


def play(played: Any) -> None:
    """A colleague enrols, adds two factors and proves them; a patient forgets a password."""
    token = _enrols(played)
    secret = _adds_totp(played, token)
    key = _adds_passkey(played, token)
    _proves(played, token, secret, key)
    _forgets(played)
    _opens(played)


def _opens(played: Any) -> None:
    ask, eli = played.story.ask, played.team.admin
    patient = ask(played.team.clinician, "get /v1/patients")["items"][0]["id"]
    # As it is: Eli's account was there before the story, and so was the password.
    proof = {"json": {"password": PASSWORD}, "headers": {"Authorization": f"Bearer {eli}"}}
    assert played.story.client.post("/v1/sign-ins/step-up", **proof).status_code == 204
    ask(eli, "post /v1/patients/{patient_id}/break-glass", {"reason": "nobody there"}, patient_id=patient)


def _enrols(played: Any) -> str:
    ask, email = played.story.ask, {"email": GUS["email"]}
    body = {"role": "clinician", "name": "Gus", "word": WORD, **email}
    invited = ask(played.team.admin, "post /v1/clinic/invitations", body)
    return str(
        ask(None, "post /v1/enrolments", {**GUS, "code": invited["code"], "proof": WORD})["access_token"]
    )


def _adds_totp(played: Any, token: str) -> str:
    ask, path = played.story.ask, "post /v1/me/factors/totp"
    made = ask(token, path, {"name": "telephone"})
    code = {"totp": totp.code_at(made["secret"], played.clock.now)}
    ask(token, f"{path}/{{factor_id}}/confirm", code, factor_id=made["id"])
    return str(made["secret"])


def _adds_passkey(played: Any, token: str) -> Authenticator:
    ask, path, key = played.story.ask, "post /v1/me/factors/passkeys", Authenticator()
    asked = ask(token, f"{path}/options")
    body = {"ticket": asked["ticket"], "name": "laptop", "credential": key.make(asked["options"])}
    ask(token, path, body)
    return key


def _proves(played: Any, token: str, secret: str, key: Authenticator) -> None:
    ask, sign_ins = played.story.ask, "post /v1/sign-ins"
    played.clock.now += timedelta(seconds=30)
    who = {**GUS, "clinic": "demo", "device": "tablet"}
    ask(None, sign_ins, {**who, "totp": totp.code_at(secret, played.clock.now)})
    half = played.story.client.post("/v1/sign-ins", json=played.story.marks.planted(sign_ins, who)).json
    body = {"ticket": half["ticket"], "passkey": key.sign(half["passkey"]), "device": "desk"}
    ask(None, f"{sign_ins}/second-factor", body)
    asked = ask(token, f"{sign_ins}/step-up/challenge")
    ask(token, f"{sign_ins}/step-up", {"ticket": asked["ticket"], "passkey": key.sign(asked["options"])})


def _forgets(played: Any) -> None:
    ask, mail = played.story.ask, played.around.gateways[Channel.EMAIL]
    ask(None, "post /v1/recoveries", {"clinic": "demo", "email": "second@home.example"})
    for _ in range(2):  # one writes, the next sends
        played.jobs(seconds=20)
    (link,) = [one.link for one in mail.sent if one.kind == "notice.password_recovery"]
    new = {"code": link.partition("#")[2], "password": "another password of hers"}
    ask(None, "post /v1/recoveries/redeem", new)
