"""The time zones that a clinic, a patient or a diary may name."""

from zoneinfo import available_timezones

# Names that mean "whatever this machine says" are not places: elsewhere they mean another time, or nothing.
ZONES = frozenset(available_timezones()) - {"localtime", "Factory", "posixrules"}
