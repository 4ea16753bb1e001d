"""Which characters a text may hold, as parts of regular expressions: whether it is sent or imported."""

import re
import unicodedata

# Control characters; what no Unicode ever makes a character; embeddings and overrides of the direction of
# writing (isolates stay, keyboards of right-to-left languages write them).
_CONTROL, _NO_CHARACTER = r"\u0000-\u001f\u007f-\u009f", r"\ufdd0-\ufdef\ufffe\uffff"
OVERRIDES = r"\u202a-\u202e"
BARRED = _CONTROL + OVERRIDES + _NO_CHARACTER
# Line feed, tab and CR LF are fine where people write at length, and overrides are left out there.
BARRED_IN_LINES = r"\u0000-\u0008\u000b-\u001f\u007f-\u009f" + _NO_CHARACTER
SPACES = r"\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# Joiners of width zero and the like belong into some names, but are none by themselves.
UNSEEN = (
    r"\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f"
    r"\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
)
# Beyond the sixteen bits that every dialect's patterns can name. Of lone halves no UTF-8 can be made.
_BEYOND = r"\ud800-\udfff" + "".join(rf"\U{plane:04x}fffe\U{plane:04x}ffff" for plane in range(1, 17))
_UNSEEN_BEYOND = (
    r"\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0001\U000e0020-\U000e007f"
)
ANY_BARRED = re.compile(f"[{BARRED}{_BEYOND}]")
ANY_BARRED_IN_LINES = re.compile(f"[{BARRED_IN_LINES}{_BEYOND}]")
ANY_OVERRIDE = re.compile(f"[{OVERRIDES}]")
# Carriage return, and what word processors and pages end a line or a page with.
_OTHER_ENDS = re.compile(r"[\r\u000b\u000c\u0085]")
ANY_SEEN = re.compile(f"[^{SPACES}{UNSEEN}{_UNSEEN_BEYOND}]")
_ANY_UNSEEN = re.compile(f"[{UNSEEN}{_UNSEEN_BEYOND}]")
# Of an e-mail address what a mail server takes is for it to say. ASCII only: not every one takes more.
ADDRESS = "[!-?A-~]{1,64}@[!-?A-~]{1,189}"
ANY_WRITTEN = re.compile(rf"[^\n\t{SPACES}]")


def lines(text: str) -> str:
    """Return text of any lines as it is kept: in NFC, with line feeds, its direction never overridden."""
    return unicodedata.normalize("NFC", ANY_OVERRIDE.sub("", text.replace("\r\n", "\n")))


def mended_lines(text: str) -> str:
    """Return what was written at length without what no text may hold: who wrote it does not see it there."""
    return ANY_BARRED_IN_LINES.sub("", _OTHER_ENDS.sub("\n", lines(text)))


def as_read(name: str) -> str:
    """Return a name as somebody reads it: two that look alike are one, whatever blanks are in them."""
    return " ".join(_ANY_UNSEEN.sub("", unicodedata.normalize("NFC", name)).split())
