"""The proof under load: a fleet that is killed again and again, a history, and what must hold of it."""
