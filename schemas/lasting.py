"""A schema that is made once and never changed."""

from typing import Any, Self

from marshmallow import Schema


class Lasting(Schema):
    """A schema of which a deep copy is itself.

    What documents a view is copied with every decorator around it, and a schema's copy has copies of all its
    fields: most of what lay in memory were those.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return this schema."""
        return self
