"""The outbox: whom a message goes to, over which way, and what became of it."""
