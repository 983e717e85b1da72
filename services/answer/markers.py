"""Read the markers that models write in the place of [n]: `[1-3]`, `【1】`, `[^1]`, `[근거 1]`, `[1];[2]`, `(1)`.

In: an answer, whole or as far as it is written, and the numbers of the evidence. Out: the same with every marker
written [n], those that stand together without a space or a second time. It leaves alone what is no marker: a year, a
range that the evidence does not have, an enumeration (1) (2). Pure.
"""

import re
from collections.abc import Collection, Iterator

MOST_OF_RANGE = 5
"""A longer range is no citation: nobody looks up six passages for one claim."""
_INSIDE_CHARS = 60

_OPEN, _CLOSE, _DASH = r"[\[［【〔]", r"[\]］】〕]", r"[-–—‐‑~∼〜～－]"
_LABEL = (
    r"(?:(?:evidence|source|passage|citation|reference|ref|document|doc|근거|출처|자료|문서|지문|참고|no|n)?"
    r"[\s.:#^=\"“]{0,3})"
)
_ITEM = rf"{_LABEL}\d{{1,3}}[\"”]?(?:\s?번)?(?:\s*{_DASH}\s*{_LABEL}\d{{1,3}}[\"”]?)?"
_BETWEEN = r"\s*(?:[,;、，；·&]|and|및|와|과)\s*"
_THOUSANDS = rf"(?!\s*\d{{1,3}}(?:,\d{{3}})+\s*{_CLOSE})"
_BRACKET = rf"{_OPEN}{{1,2}}{_THOUSANDS}\s*{_ITEM}(?:{_BETWEEN}{_ITEM}){{0,9}}\s*{_CLOSE}{{1,2}}"
_JOIN = rf"[^\S\n]{{0,4}}(?:[,;、，；·&+]|{_DASH})?[^\S\n]{{0,4}}"
_RUN = re.compile(rf"{_BRACKET}(?:{_JOIN}{_BRACKET})*", re.I)
_ONE = re.compile(rf"(?P<join>{_JOIN})(?P<bracket>{_BRACKET})", re.I)
_RANGE = re.compile(rf"(\d{{1,3}})(?:[^\d,;、，；·&]*?{_DASH}[^\d,;、，；·&]*?(\d{{1,3}}))?")
_IS_DASH = re.compile(rf"\s*{_DASH}\s*\Z")
_UNFINISHED = re.compile(
    rf"(?<!\s)\s*(?:(?:{_BRACKET}{_JOIN})+(?:{_OPEN}{{1,2}}[^\[\]［］【】〔〕\n]{{0,{_INSIDE_CHARS}}})?"
    rf"|{_OPEN}{{1,2}}[\w\s,;、，；·&^#.:=\"“”~〜～∼–—‐‑－-]{{0,{_INSIDE_CHARS}}})\Z",
    re.I,
)
_ROUND = re.compile(r"[(（]\s*(\d{1,3}(?:\s*[,、]\s*\d{1,3})*)\s*[)）]")
_AT_AN_END = re.compile(r"(?:\s*[(（][\d\s,、]+[)）])*(?:[.!?。！？…]|[^\S\n]*(?:\n|\Z))")


def plain_markers(text: str, known: Collection[int]) -> str:
    """Write the markers of a whole answer as [n].

    Args:
        known: the numbers of the evidence; a range is read between two of them only, and [n] of no evidence stays [n].
    """
    read = bracketed_markers(text, known)
    return read if _RUN.search(text) else _from_round(read, known)


def bracketed_markers(text: str, known: Collection[int]) -> str:
    """Do the same with what stands in brackets; the only thing that can be told of a part of an answer."""
    return _RUN.sub(lambda run: _read_run(run[0], known), text)


def unfinished(text: str) -> int:
    """Say from where on the end of a text may still become a marker, or part of one; its length where it may not."""
    found = _UNFINISHED.search(text)
    return found.start() if found else len(text)


def _read_run(run: str, known: Collection[int]) -> str:
    """Write brackets that stand together; a number said again in them is said once."""
    said: list[int] = []
    kept = ""
    for one in _ONE.finditer(run):
        numbers = _numbers(one["bracket"], known)
        if numbers is None:
            kept, said = f"{kept}{_written(said)}{one[0]}", []
            continue
        ends = (said[-1], numbers[0]) if said else (0, 0)
        if _IS_DASH.match(one["join"]) and (between := _between(*ends, known)):
            said += between
        said += numbers
    return kept + _written(said)


def _written(numbers: list[int]) -> str:
    return "".join(f"[{n}]" for n in dict.fromkeys(numbers))


def _numbers(bracket: str, known: Collection[int]) -> list[int] | None:
    """Give the numbers of a bracket; None where a range in it is not one of the evidence."""
    found: list[int] = []
    for first, last in _RANGE.findall(bracket):
        if not last:
            found.append(int(first))
        elif between := _between(int(first), int(last), known):
            found += between
        else:
            return None
    return found


def _between(first: int, last: int, known: Collection[int]) -> list[int]:
    """Give the numbers from the first to the last, both of the evidence; none where that is no range."""
    fits = first <= last < first + MOST_OF_RANGE and {first, last} <= set(known)
    return [n for n in range(first, last + 1) if n in known] if fits else []


def _from_round(text: str, known: Collection[int]) -> str:
    """Read (1) as [1] where every one of them ends a sentence and is of the evidence: else they count something."""
    found = list(_ROUND.finditer(text))
    if not all(_ends_a_sentence(text, each) and set(_all(each[1])) <= set(known) for each in found):
        return text
    return _ROUND.sub(lambda each: _written(list(_all(each[1]))), text)


def _ends_a_sentence(text: str, found: re.Match[str]) -> bool:
    line = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
    return any(map(str.isalnum, line)) and _AT_AN_END.match(text, found.end()) is not None


def _all(numbers: str) -> Iterator[int]:
    return (int(each) for each in re.findall(r"\d+", numbers))
