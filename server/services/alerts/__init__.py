"""Alerts and who is to act on them: episodes, escalation, rota, digest."""
