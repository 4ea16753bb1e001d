"""Verbs: each takes a `Work` (session, time, actor). None commits, sends, or knows Flask."""
