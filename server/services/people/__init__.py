"""Clinics, accounts, patients: who they are and how they come in."""
