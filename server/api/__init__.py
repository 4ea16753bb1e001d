"""Blueprints: load, call one service, dump. This edge owns its transaction and asks the clock."""
