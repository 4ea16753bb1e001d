"""In which forms an answer to an invitation comes: the whole mail, or its calendar part alone."""

MAIL, CALENDAR = "message/rfc822", "text/calendar"
