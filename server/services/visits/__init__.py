"""Treatments, and the suggested visit from draft to outcome."""
