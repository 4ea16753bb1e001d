"""Filled validated scales: asked for, answered, scored."""
