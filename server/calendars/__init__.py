"""A visit as calendar programs write it (iCalendar): values in, text out, and back. Pure."""
