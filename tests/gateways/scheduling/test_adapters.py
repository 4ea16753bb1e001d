"""Every kind of connection that there is an adapter for gets it, and its settings are checked by it."""

from typing import Any

import pytest

from server.clinical.vocabulary import ConnectionKind
from server.gateways.egress import Egress
from server.gateways.scheduling.adapters import adapter, check
from server.gateways.scheduling.port import Outside
from tests.gateways.scheduling.http_configs import SEARCHED

CONFIGS: dict[ConnectionKind, dict[str, Any]] = {
    ConnectionKind.INBOX: {},
    ConnectionKind.GNUHEALTH: {
        "base_url": "http://127.0.0.1:8000",
        "database": "health",
        "user": "afterglow",
        "password": "secret",
    },
    ConnectionKind.HTTP: SEARCHED,
    ConnectionKind.FHIR: {"base_url": "http://127.0.0.1:8000/r4"},
    ConnectionKind.CALENDAR: {
        "way": "caldav",
        "url": "http://127.0.0.1:8000/clinic/visits/",
        "user": "afterglow",
        "password": "secret",
    },
}


def test_every_kind_has_an_adapter() -> None:
    assert set(CONFIGS) == set(ConnectionKind)


@pytest.mark.parametrize("kind", CONFIGS)
def test_an_adapter_says_where_it_leads(kind: ConnectionKind) -> None:
    check(kind, CONFIGS[kind], allow_loopback=True)
    assert adapter(kind, CONFIGS[kind], Outside(Egress(allow_loopback=True))).lane()


@pytest.mark.parametrize("kind", [kind for kind in CONFIGS if kind is not ConnectionKind.INBOX])
def test_in_production_no_address_of_this_machine_will_do(kind: ConnectionKind) -> None:
    with pytest.raises(ValueError, match="url: "):
        check(kind, CONFIGS[kind])


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_setting_nobody_knows_is_refused(kind: ConnectionKind) -> None:
    for refused in (check, lambda kind, config: adapter(kind, config, Outside(Egress()))):
        with pytest.raises(ValueError):
            refused(kind, {**CONFIGS[kind], "colour": "blue"})
