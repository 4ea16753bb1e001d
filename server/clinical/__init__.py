"""The clinical core: values in, decision out.

Nothing here reads a clock, a database, the network or a random number, and nothing here imports
another part of Afterglow. Every rule names its source in ``docs/clinical.md``.
"""
