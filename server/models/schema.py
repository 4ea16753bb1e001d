"""Which migration makes these tables."""

HEAD = "0014"
"""The newest migration of this code (a test compares it with the files)."""
