"""Blueprints: load, call one service, dump. This edge owns its transaction and asks the clock."""

from server.api import clinic, entry, patient, sign_in, status, sync

BLUEPRINTS = tuple(module.blueprint for module in (status, sign_in, clinic, patient, entry, sync))
