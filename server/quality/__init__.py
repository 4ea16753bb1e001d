"""How good the watch is: replay a diary day by day, count what it said. Pure."""
