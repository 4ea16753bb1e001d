"""What a patient typed on two phones, and what became of it: the books of `test_two_phones`.

Every text is one word, used once: `w17` in a note, or the number 17 in the answers to a scale.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from examples.phone import FILLED, STORED, Json

WORD = re.compile(r"w\d+")
SCALE, QUESTIONS, OPTIONS = "gad-7", 7, 4


def digits(number: int) -> list[int]:
    """Return the answers that stand for ``number``, the lowest digit first."""
    return [number // OPTIONS**place % OPTIONS for place in range(QUESTIONS)]


def number_in(answers: Mapping[str, int]) -> int:
    """Return the number that ``answers`` stand for."""
    return sum(answers[f"q{place + 1}"] * OPTIONS**place for place in range(QUESTIONS))


def words(body: Json | None) -> set[str]:
    """Return the words in an entry's note, or the word a scale was filled with."""
    body = body or {}
    if "answers" in body:
        return {f"w{number_in(body['answers'])}"}
    return set(WORD.findall(body.get("note") or ""))


@dataclass
class Ledger:
    """Every word typed, what became of it on the phones, and what the server acknowledged."""

    typed: set[str] = field(default_factory=set)
    filled: set[str] = field(default_factory=set)
    over: dict[str, set[str]] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    taken_back: dict[str, set[str]] = field(default_factory=dict)
    lost_with_the_phone: set[str] = field(default_factory=set)
    verdicts: Counter[str] = field(default_factory=Counter)

    def type(self, body: Json | None = None) -> str:
        """Return a new word, typed over what ``body`` said."""
        word = f"w{len(self.typed) + 1}"
        self.typed.add(word)
        self.over[word] = self.all_before(body)
        return word

    def fill(self, body: Json | None = None) -> list[int]:
        """Return the answers that are a new word, filled over what ``body`` said."""
        word = self.type(body)
        self.filled.add(word)
        return digits(int(word[1:]))

    def take_back(self, row_id: str, body: Json) -> None:
        """Note that the patient took back what ``body`` says."""
        self.taken_back.setdefault(row_id, set()).update(self.all_before(body))

    def all_before(self, body: Json | None) -> set[str]:
        """Return the words of ``body`` and those they were typed over."""
        seen = words(body)
        return seen.union(*(self.over[word] for word in seen))

    def hear(self, item: Json, result: Json) -> None:
        """Note the verdict on one item; it reached the phone."""
        self.verdicts[f"{'scale' if item['kind'] == FILLED else 'entry'} {result['verdict']}"] += 1
        if result["verdict"] not in STORED:
            return
        said = words(item.get(item["kind"]))
        self.acknowledged |= said
        self.replaced |= set().union(*(self.over[word] for word in said))
        if item["action"] == "delete":
            self.replaced |= self.taken_back[item["id"]]

    def read(self, kept: set[str], deleted: set[str]) -> None:
        """Note what the server has in the end: an answer may be lost for ever, with the phone that asked.

        ``kept`` are the words there, ``deleted`` the ids of the tombstones.
        """
        self.replaced |= set().union(*(self.over[word] for word in kept))
        self.replaced |= set().union(*(self.taken_back.get(row_id, set()) for row_id in deleted))

    def owed(self, refused: set[str]) -> set[str]:
        """Return the words that must be in a note in the end.

        What was acknowledged, unless the server also acknowledged its replacement; and what was
        typed last and neither refused nor lost with a phone, whether acknowledged or not.
        """
        return ((self.acknowledged - self.replaced) | self.typed_last(refused)) - self.filled

    def owed_to_history(self, refused: set[str]) -> set[str]:
        """Return the fillings of scales that must be among the versions on record, current or not.

        Of two corrections made apart one stays: half of each would be a scale that nobody filled.
        """
        return (self.acknowledged | self.typed_last(refused)) & self.filled

    def typed_last(self, refused: set[str]) -> set[str]:
        """Return what nothing was typed over, and that was neither taken back, refused nor lost."""
        gone = set().union(*self.over.values(), *self.taken_back.values())
        return self.typed - gone - refused - self.lost_with_the_phone

    def outdated(self) -> set[str]:
        """Return what an acknowledged text was knowingly typed over."""
        return set().union(*(self.over[word] for word in self.acknowledged))
