"""Fill a slot with the text that a clinic is licensed to hold and we are not licensed to ship."""

from collections.abc import Mapping
from dataclasses import replace

from server.clinical.instruments.fields import Fields
from server.clinical.instruments.instrument import Content, Instrument, InstrumentError, Item, Licence, Option


def with_text(slot: Instrument, texts: Mapping[str, object]) -> Instrument:
    """Return ``slot`` with a clinic's words in it, ready to be asked; scoring stays as it is.

    ``texts`` is the clinic's parsed file: ``locale`` (BCP 47), ``notice`` (the owner's notice, which
    must stay), ``instructions``, a table ``options`` from each value to its words, and a table
    ``items`` from each item id to its words. Raises `InstrumentError` for a slot that takes no text,
    and for every field that is missing, empty, unknown or not a text.
    """
    if slot.content is not Content.SLOT:
        raise InstrumentError(slot.name, "content", "takes no text of a clinic's own")
    fields = Fields(slot.name, texts)
    notice, instructions, locale = fields.text("notice"), fields.text("instructions"), fields.text("locale")
    words, options = fields.table("items"), fields.table("options")
    items = tuple(_worded(item, words, options) for item in slot.items)
    values = {str(value) for item in slot.items for value in range(item.low, item.high + 1)}
    for unread in (fields, words):
        unread.finish()
    for name in set(options.names()) - values:
        raise options.error(name, "is not a value of any item")
    return replace(
        slot,
        locale=locale,
        content=Content.TEXT,
        licence=Licence(slot.licence.kind, notice),
        instructions=instructions,
        items=items,
    )


def _worded(item: Item, words: Fields, options: Fields) -> Item:
    values = range(item.low, item.high + 1)
    labels = tuple(Option(value, options.peek_text(str(value))) for value in values)
    return replace(item, text=words.text(item.id), options=labels)
