"""Path parameters of our own."""

import re

from werkzeug.routing import UUIDConverter


class Uuid7Converter(UUIDConverter):
    """A UUIDv7 in lower case; anything else is not found."""

    regex = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    pattern = re.compile(regex)
