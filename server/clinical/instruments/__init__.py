"""Questionnaires as data: one file a scale, version and locale; loaded, checked and scored here.

``catalog`` holds them, ``scoring`` scores them, ``slots`` fills the text that only a clinic may hold.
"""
