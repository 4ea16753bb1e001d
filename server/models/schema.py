"""Which migration makes these tables."""

HEAD = "0013"
"""The newest migration of this code (a test compares it with the files)."""
