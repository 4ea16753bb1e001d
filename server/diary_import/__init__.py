"""Map any diary export to entries. Pure: bytes and a map in, entries and refusals out."""
