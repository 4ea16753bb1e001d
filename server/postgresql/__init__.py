"""What only PostgreSQL has: pools and time-outs, reruns, a bell, a clock, replicas. Nothing of the house."""
