"""How the service is run on real machines, and a rehearsal of it."""
