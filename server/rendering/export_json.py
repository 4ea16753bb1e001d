"""An export as one JSON object, a row a line. What was counted stands at the end: a file cut off has none."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def written(head: Mapping[str, Any], sections: Mapping[str, Iterable[Mapping[str, Any]]]) -> Iterator[str]:
    """Yield an export (`server.services.journal.export.Export`), its head first, then a row each."""
    counts: Counter[str] = Counter(dict.fromkeys(sections, 0))
    yield _text(head).removesuffix("}")
    for name, rows in sections.items():
        yield f',\n"{name}": ['
        for row in rows:
            yield (",\n" if counts[name] else "\n") + _text(row)
            counts[name] += 1
            counts["revisions"] += len(row.get("revisions", ()))
        yield "]"
    yield f',\n"counts": {_text({**counts, "revisions": counts["revisions"]})}}}\n'


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
