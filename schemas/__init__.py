"""Wire shapes only: strict types, bounds from the clinical core, unknown fields refused and named."""
