"""Read what stands around a number: about, at most, more than, 이상, 까지, and what joins two numbers into a range.

In: a legible text and the place of a number in it. Out: how the number is meant, and how far the words that say so
reach. 최대 and 이하 close at the number, 미만 and "under" before it.
"""

import re
from dataclasses import dataclass
from typing import Literal

Side = Literal["at_least", "at_most"]

_APPROX = (
    "약|대략|거의|얼추|어림잡아|대강|근|한|about|approximately|around|nearly|almost|roughly|some|circa|c.|ca.|approx.|~|≈|estimated"
    "|just|only|as many as|as much as"
)
_AT_LEAST = """\
최소|최소한|적어도|at least|minimum of|minimum|min.|no less than|not less than|no fewer than
not fewer than|≥|>=|at a minimum|not below|not under"""
_MORE = """\
over|above|more than|greater than|higher than|larger than|longer than|older than|exceeding|exceeds
exceed|exceeded|in excess of|upwards of|>"""
_AT_MOST = """\
최대|최대한|많아야|기껏해야|at most|up to|maximum of|maximum|max.|no more than|not more than
not exceeding|not exceed|no greater than|no higher than|no longer than|no older than|not over
not above|within|≤|<=|limited to"""
_LESS = """\
under|below|less than|fewer than|lower than|smaller than|shorter than|younger than|<"""
_BEFORE: dict[str, tuple[Side | None, bool]] = {
    **dict.fromkeys(_APPROX.split("|"), (None, True)),
    **dict.fromkeys(
        _AT_LEAST.replace("\n", "|").split("|"),
        ("at_least", True),
    ),
    **dict.fromkeys(
        _MORE.replace("\n", "|").split("|"),
        ("at_least", False),
    ),
    **dict.fromkeys(
        _AT_MOST.replace("\n", "|").split("|"),
        ("at_most", True),
    ),
    **dict.fromkeys(
        _LESS.replace("\n", "|").split("|"),
        ("at_most", False),
    ),
}
"""Word before a number: the side that is limited (None: only about so much), and whether the number belongs to it."""

_WORDS = tuple(sorted(_BEFORE, key=len, reverse=True))
_EXACTLY = frozenset(("just", "only", "as many as", "as much as"))
_SIGNS = frozenset("≈≥≤<>")
_OPENERS = re.compile(
    r"(?:영하|영상|섭씨|화씨|마이너스|시속|초속|분속|\b(?:minus|the|an?|of|aged?)|-|△|\()\s?\Z", re.IGNORECASE
)
_REACH_CHARS = 40
_MOST_WORDS = 4
_GAP_CHARS = 12

_AFTER = re.compile(
    r"""
    (?P<ge0>\+(?!\d))
  | \s?\(?(?:[을를이가은는도의]\s?)?\s?(?:
      (?P<le1>초과하지\s?(?:않|못|아니)|초과할\s?수\s?없|넘지\s?(?:않|못|아니)|넘을\s?수\s?없|이하|이내)
    | (?P<gt1>초과|넘(?=[는게은어을었]|긴)|웃도|웃돌|상회)
    | (?P<ge1>이상(?!하[다게고]|한\s|기후|현상|징후))
    | (?P<lt1>미만|못\s?미|미치지\s?(?:못|않)|밑도|밑돌|하회|안\s?되|채\s?(?:안|못)) )
  | \s?(?P<le2>까지)
  | \s?(?P<about>쯤|가량|정도|내외|안팎|남짓|전후|가까이)
  | \s(?P<ge2>(?:or|and)\s(?:more|above|over|up|upwards?|higher|older|greater|longer|larger)\b
    |at\s(?:the\s)?least\b|minimum\b)
  | \s(?P<le3>(?:or|and)\s(?:less|fewer|below|under|lower|younger|shorter|smaller)\b
    |at\s(?:the\s)?most\b|max(?:imum)?\b)
  | \s(?P<about2>or\sso\b)
    """,
    re.VERBOSE,
)
_RANGE = re.compile(r"\s?[~-]\s?|—|\s?(?:부터|에서|내지)\s?|\s(?:to|through|up\sto)\s|\s?-\s?to\s?-\s?")
_BETWEEN = re.compile(r"\s(?:and|와|과)\s|\s?(?:와|과)\s?")
_BETWEEN_BEFORE = re.compile(r"\bbetween\s(?:[a-z]{1,6}\s)?\Z", re.IGNORECASE)
_BETWEEN_AFTER = re.compile(r"\s?(?:의\s?)?사이")
_CHANGE_AFTER = re.compile(r"(?:으로|로)(?!\s?정|부터|\s?이루)")
_CHANGE_BEFORE = re.compile(
    r"\b(?:r[oi]se[sn]?|rising|increas\w+|grew|grows?|grown|fell|falls?|fallen|dropp?\w*|declin\w+|went|chang\w+|expand\w+|jump\w+"
    r"|climb\w+|rais\w+|reduc\w+|cut|decreas\w+|shr[aiu]nk|moved|up|down)\b[^.\d]{0,40}\bfrom\s(?:[a-z]{1,13}\s)?\Z",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"\s?[,·/、]\s?|\s?(?:및|와|과|또는|이나|나|혹은|그리고)\s|,?\s(?:and|or)\s|\s?[~-]\s?|\s(?:to|through)\s|\s?(?:부터|에서)\s?"
)
_BOTH_LIMITS = re.compile(
    r"\s?(?:,|에서|부터|~|-|이고|이며|이면서|으로|로|·|/|and|but|to)?\s?(?:and\s|but\s)?(?:은|는)?"
)


@dataclass(frozen=True, slots=True)
class Around:
    """How a number is meant: `side` is what is limited; its words reach from `lead` to `tail`."""

    lead: int
    tail: int
    side: Side | None
    closed: bool
    approx: bool


def around(text: str, start: int, end: int) -> Around:
    """Read the words before and behind a number."""
    lead, side, closed, approx = _read_before(text, start)
    match = _AFTER.match(text, end)
    if not match or not match.lastgroup:
        return Around(lead, end, side, closed, approx)
    kind = match.lastgroup
    if kind.startswith("about"):
        following = _AFTER.match(text, match.end())
        inner = following.lastgroup if following else None
        if following and inner and not inner.startswith("about"):
            return Around(lead, following.end(), *_sided(inner), approx=True)
        return Around(lead, match.end(), side, closed, approx=True)
    # "최대 100명까지" and "at most 5 or less" say one thing twice; what stands behind is stricter about the border.
    return Around(lead, match.end(), *_sided(kind), approx)


def _sided(kind: str) -> tuple[Side, bool]:
    return "at_least" if kind[0] == "g" else "at_most", kind[1] == "e"


def _read_before(text: str, start: int) -> tuple[int, Side | None, bool, bool]:
    lead, side, closed, approx = start, None, True, False
    floor = max(0, start - _REACH_CHARS)
    before = text[floor:start].lower()
    for _ in range(_MOST_WORDS):
        bare = before.rstrip()
        if opened := _OPENERS.search(bare):
            before = bare[: opened.start()]
            continue
        word = next((each for each in _WORDS if bare.endswith(each)), None) if bare.endswith(_WORDS) else None
        if not word or not _begins(bare, word, text, start):
            break
        before = bare[: len(bare) - len(word)]
        lead = floor + len(before)
        found, border = _BEFORE[word]
        if found is None:
            approx = approx or word not in _EXACTLY
        elif side is None:
            side, closed = found, border
    return lead, side, closed, approx


def _begins(bare: str, word: str, text: str, start: int) -> bool:
    """Say whether a word stands by itself: 약 does, the end of 계약 does not; "10~20" is no "about 20"."""
    ahead = bare[-len(word) - 1 : -len(word)]
    if word == "한" and not text[start - 1 : start].isspace():
        return False
    if word == "~":
        return not bare[:-1].rstrip()[-1:].isalnum()
    return word in _SIGNS or not ahead.isalnum()


def joins_range(text: str, first: tuple[int, int], second: tuple[int, int], reach: tuple[int, int]) -> bool:
    """Say whether what stands between two numbers makes them a range: "10~20", "10부터 20까지", "between 10 and 20".

    "Rose from 10 to 20" and "10에서 20으로" are a change, no range.

    Args:
        first: from where to where the first number reaches with the words that belong to it.
        second, reach: where the second stands, and from where to where it reaches.
    """
    gap = text[first[1] : reach[0]]
    if len(gap) > _GAP_CHARS:
        return False
    if _RANGE.fullmatch(gap):
        joint = gap.strip()
        if joint in ("에서", "부터") and _CHANGE_AFTER.match(text, second[1]):
            return False
        return not (joint == "to" and _CHANGE_BEFORE.search(text, max(0, first[0] - 80), first[0]))
    if _BETWEEN.fullmatch(gap):
        before = _BETWEEN_BEFORE.search(text, max(0, first[0] - 20), first[0])
        return bool(before or _BETWEEN_AFTER.match(text, second[1]))
    return False


def joins_limits(text: str, first_tail: int, second_lead: int) -> bool:
    """Say whether a lower and an upper limit belong to one another: "10명 이상 20명 이하"."""
    return second_lead - first_tail <= 10 and _BOTH_LIMITS.fullmatch(text, first_tail, second_lead) is not None


def joins_list(text: str, first_end: int, second_lead: int) -> bool:
    """Say whether a number without a unit shares that of the next: "10, 20 mm", "5~6월"."""
    return 0 < second_lead - first_end <= 6 and _LIST.fullmatch(text, first_end, second_lead) is not None
