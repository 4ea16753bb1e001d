"""Virtual patients with a known truth: seed in, patients out. No clock, no database, no network."""
