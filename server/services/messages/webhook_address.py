"""Where a webhook leads and what signs for it, as the JSON text that is sealed."""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import token_bytes

# While both sign, the receiver has time to take the new secret in.
OLD_SECRETS_LAST = timedelta(hours=24)
MOST_SECRETS = 3


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """``secrets``: the newest first; the others sign too until a day after it was made."""

    url: str
    secrets: tuple[str, ...]

    @staticmethod
    def read(text: str) -> "WebhookAddress":
        """Return what the JSON ``text`` says."""
        found = json.loads(text)
        return WebhookAddress(found["url"], tuple(found["secrets"]))

    def text(self) -> str:
        """Return it as JSON text: `{"url": ..., "secrets": [...]}`."""
        secrets: Sequence[str] = self.secrets
        return json.dumps({"url": self.url, "secrets": list(secrets)})

    def at(self, rotated_at: datetime | None, now: datetime) -> "WebhookAddress":
        """Return it without the secrets that have run out at ``now``."""
        is_over = rotated_at is not None and now >= rotated_at + OLD_SECRETS_LAST
        return replace(self, secrets=self.secrets[:1]) if is_over else self

    def rotated(self, secret: str) -> "WebhookAddress":
        """Return it with ``secret`` as the newest."""
        return replace(self, secrets=(secret, *self.secrets)[:MOST_SECRETS])


def new_secret() -> str:
    """Return a signing secret: `whsec_` and base64 of 32 random bytes (Standard Webhooks)."""
    return f"whsec_{b64encode(token_bytes(32)).decode()}"
