"""Every kind of scheduling system and its adapter."""

from collections.abc import Mapping
from typing import Any

from server.clinical.vocabulary import ConnectionKind
from server.gateways.scheduling.port import Outside, SchedulingPort


def check(kind: ConnectionKind, config: Mapping[str, Any], allow_loopback: bool) -> None:
    """x"""


def adapter(kind: ConnectionKind, config: Mapping[str, Any], outside: Outside) -> SchedulingPort:
    """x"""
    raise ValueError
