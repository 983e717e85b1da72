"""Text as it is stored: one form, so that search, quotes and offsets agree.

In comes text as a format gave it; out goes Unicode NFC with LF line ends and without characters that Postgres
refuses (NUL), that no eye sees (controls, byte order marks) or that are none (noncharacters, lone
surrogates).

Private-use Hangul (Hanyang PUA, U+E0BC to U+F8F7, old Korean letters of older word processors) becomes conjoining
jamo by the table in hanyang.txt, where it stands beside Hangul: icon fonts use the same code points.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

_LINE_ENDS = re.compile("\r\n?|[\f\u0085]")
_SURROGATES = re.compile("([\ud800-\udbff][\udc00-\udfff])|[\ud800-\udfff]")
_PLANE_ENDS = "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
_UNWANTED = re.compile(f"[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufdd0-\ufdef{_PLANE_ENDS}]")
_UNITS = re.compile("\r\n|[\ud800-\udbff][\udc00-\udfff]|.", re.S)  # what becomes one character or none
_REPLACEMENT = "\ufffd"

_HANGUL = "\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff\u302e\u302f"
_HANYANG = "\ue0bc-\uefff\uf100-\uf66e\uf784-\uf8f7"
_OLD_HANGUL = re.compile(f"(?<=[{_HANGUL}])[{_HANYANG}]+|[{_HANYANG}]+(?=[{_HANGUL}])")

# Vowels and finals of conjoining Hangul (Extended-B has the old ones) compose with what stands before.
_JAMO_TAILS = ((0x1160, 0x11FF), (0xD7B0, 0xD7FF))


def normalise(text: str) -> str:
    """Give `text` in NFC, with LF line ends and storable characters only; applying it twice changes nothing.

    CRLF, CR, NEL and form feed become LF. Other control characters (C0 without tab and LF, DEL, C1), U+FEFF
    and noncharacters are removed; a pair of surrogates becomes its character, a lone one U+FFFD.
    """
    return unicodedata.normalize("NFC", _OLD_HANGUL.sub(_as_jamo, _cleaned(text)))


def _as_jamo(match: re.Match[str]) -> str:
    return "".join(_hanyang().get(char, char) for char in match[0])


@cache
def _hanyang() -> Mapping[str, str]:
    lines = Path(__file__).with_name("hanyang.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" ") for line in lines if not line.startswith("#"))
    return {chr(int(code, 16)): jamo for code, jamo in pairs}


def _cleaned(text: str) -> str:
    # Surrogates first: a pair may stand for a noncharacter.
    return _UNWANTED.sub("", _LINE_ENDS.sub("\n", _SURROGATES.sub(_joined, text)))


def _joined(match: re.Match[str]) -> str:
    return match[0].encode("utf-16", "surrogatepass").decode("utf-16") if match[1] else _REPLACEMENT


def align(text: str) -> tuple[str, list[int]]:
    """Give `normalise(text)` and, for each of its characters, the index in `text` of the one it came from.

    A character composed of several points at the first of them. The indices never fall.
    """
    result = normalise(text)
    if result == text:
        return result, list(range(len(text)))
    origins: list[int] = []
    for cluster, indices in _clusters(text):
        size = len(unicodedata.normalize("NFC", cluster))
        origins.extend(indices[min(place, len(indices) - 1)] for place in range(size))
    return result, origins


def _clusters(text: str) -> Iterator[tuple[str, list[int]]]:
    """Cut the kept characters where NFC cannot reach across, so that each cut composes alone."""
    cluster = ""
    indices: list[int] = []
    for index, char in _opened(text):
        if cluster and not _composes_backwards(char):
            yield cluster, indices
            cluster, indices = "", []
        cluster += char
        indices.append(index)
    if cluster:
        yield cluster, indices


def _opened(text: str) -> Iterator[tuple[int, str]]:
    """Give the kept characters with their places, private-use Hangul as the jamo it becomes."""
    kept = [(index, char) for index, chars in _kept(text) for char in chars]
    whole, done = "".join(char for _, char in kept), 0
    for match in _OLD_HANGUL.finditer(whole):
        yield from kept[done : match.start()]
        for index, char in kept[match.start() : match.end()]:
            yield from ((index, jamo) for jamo in _hanyang().get(char, char))
        done = match.end()
    yield from kept[done:]


def _kept(text: str) -> Iterator[tuple[int, str]]:
    for match in _UNITS.finditer(text):
        if kept := _cleaned(match[0]):
            yield match.start(), kept


def _composes_backwards(char: str) -> bool:
    """Say whether NFC may join `char` backwards: marks and Hangul tails (a test asks all of Unicode)."""
    if char < "\u0300":
        return False
    return unicodedata.category(char)[0] == "M" or any(low <= ord(char) <= high for low, high in _JAMO_TAILS)
