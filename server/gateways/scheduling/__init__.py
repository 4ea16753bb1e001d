"""One adapter for every kind of scheduling system, all behind the same seam (`port`)."""
