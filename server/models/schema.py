"""Which migration makes these tables."""

HEAD = "0012"
"""The newest migration of this code (a test compares it with the files)."""
