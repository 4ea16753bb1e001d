"""Measurements. Each prints a table and a ratio; none is a test."""
