"""Which migration makes these tables."""

HEAD = "0024"
"""The newest migration of this code (a test compares it with the files)."""

WORKS_FROM = "0021"
"""The oldest one on which this code works: those after it change no table (a test compares them), they only
end what the version before may do, or add an index."""
