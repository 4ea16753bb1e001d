"""The audit log: who reads it, the chain over it, and whether it still holds."""
