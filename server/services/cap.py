"""What may be done how often, where guessing, nuisance or cost is at stake: one table."""

from dataclasses import dataclass
from datetime import timedelta

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LONGEST_PAUSE = _HOUR


@dataclass(frozen=True, slots=True)
class Cap:
    """``most`` within ``span``. With a ``pause`` no end but a wait, twice as long each time, up to an hour.

    The span of a cap with a pause begins anew with every try; of one without, with the first.
    """

    name: str
    most: int
    span: timedelta
    what: str
    pause: timedelta | None = None

    def pause_after(self, count: int) -> timedelta:
        """Return how long to wait after the try with the number ``count``."""
        if self.pause is None or count <= self.most:
            return timedelta(0)
        doubled = min(count - self.most - 1, 16)
        return min(self.pause * (1 << doubled), LONGEST_PAUSE)


_S = timedelta(seconds=30)
SIGN_IN_PAIR = Cap("sign_in_pair", 5, _DAY, "failed sign-ins to one account from one address", _S)
SIGN_IN_DEVICE = Cap("sign_in_device", 10, _DAY, "failed sign-ins to one account from a device it knows", _S)
SIGN_IN_ACCOUNT = Cap(
    "sign_in_account", 50, _DAY, "failed sign-ins to one account from devices and addresses it does not know"
)
SIGN_IN_ADDRESS = Cap("sign_in_address", 60, _HOUR, "failed sign-ins from one address, to any account")
SECOND_FACTOR = Cap("second_factor", 5, _DAY, "wrong second factors and step-ups of one account", _S)
ENROLMENT_ADDRESS = Cap("enrolment_address", 30, _HOUR, "failed enrolments from one address")
RECOVERY_ADDRESS = Cap("recovery_address", 20, _HOUR, "ways back in asked for from one address")
EXPORT = Cap("export", 30, _DAY, "exports of one account, links asked for and followed too")
INVITATION = Cap("invitation", 300, _DAY, "invitations of one clinic")
INVITATION_PATIENT = Cap("invitation_patient", 20, _DAY, "caregivers invited by one patient")
NUMBER_CODE = Cap("number_code", 3, _DAY, "codes to prove one number of one account")
NUMBER_CODES = Cap("number_codes", 10, _DAY, "codes to prove any number of one account")
NUMBER_TRY = Cap("number_try", 5, _HOUR, "tries of one such code")
CONNECTION = Cap("connection", 20, _DAY, "scheduling systems that one clinic connects")

CAPS = (
    *(SIGN_IN_PAIR, SIGN_IN_DEVICE, SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, SECOND_FACTOR, ENROLMENT_ADDRESS),
    *(RECOVERY_ADDRESS, EXPORT, INVITATION, INVITATION_PATIENT),
    *(NUMBER_CODE, NUMBER_CODES, NUMBER_TRY, CONNECTION),
)

# Standing numbers, not speeds.
MOST_WEBHOOKS = 30  # of one clinic, in use or switched off
