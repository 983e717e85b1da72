"""Read the unit behind or before a number: what is measured, and how many of its base one is.

In: a legible text and the place behind a number. Out: the units that may stand there (파운드 is money or a mass), and
where they end. Units of one dimension can be turned into one another; those of two never support each other.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from services.text.unit_table import NOT_FOLLOWED, TABLE


@dataclass(frozen=True, slots=True)
class Unit:
    """One of it is `factor` of the base of its dimension, from the base's zero `offset` away (only temperatures)."""

    name: str
    dimension: str
    factor: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class UnitFound:
    """The units a piece of text may mean, and its end; `doubtful` where it may as well be no unit (5 A teams)."""

    end: int
    units: tuple[Unit, ...]
    doubtful: bool = False


def _rows() -> Iterator[tuple[Unit, list[str], list[str], list[str]]]:
    for line in TABLE.strip().splitlines():
        if not line.strip():
            continue
        dimension, measure, *names = (part.strip() for part in line.split(":", 4))
        name, *numbers = measure.split()
        korean, signs, english = (part.split() for part in (*names, "", "", "")[:3])
        yield Unit(name, dimension, *map(Decimal, numbers)), korean, signs, english


def _collected(pairs: Iterable[tuple[str, Unit]]) -> Mapping[str, tuple[Unit, ...]]:
    found: dict[str, tuple[Unit, ...]] = {}
    for name, unit in pairs:
        found[name] = (*found.get(name, ()), unit)
    return found


_ROWS = tuple(_rows())
KOREAN_NAMES = _collected((name.replace("_", " "), row[0]) for row in _ROWS for name in row[1])
SIGNS = _collected((name.replace("_", " "), row[0]) for row in _ROWS for name in row[2])
ENGLISH_NAMES = _collected((name.replace("_", " "), row[0]) for row in _ROWS for name in row[3])
BY_NAME: Mapping[str, Unit] = {row[0].name: row[0] for row in _ROWS}

_LOWER = _collected((name.lower(), units[0]) for name, units in SIGNS.items() if len(name) > 1 and not name.islower())
_LOWERED = {name: units for name, units in _LOWER.items() if len(set(units)) == 1}

_PARTICLE = (
    r"(?:은|는|이|가|을|를|의|에|로|와|과|도|만|나|며|고|란|든|랑|여|간|중|전|후|째|라|다|요|인|대|들|꼴|선)(?![가-힣])"
    r"|부터|까지|이상|이하|초과|미만|이내|이나|이며|이고|이었|이라|이란|이든|이지|이다|입니|였|지만|라고|라는|라도|라며|정도|가량"
    r"|동안|씩|당|쯤|짜리|에서|에게|에는|에도|에선|으로|로서|로써|로는|로도|보다|마다|밖에|뿐|내외|안팎|남짓|인데|인지|인가"
    r"|만에|만큼|만을|만이|이후|이전|넘|간의|간은|조차|마저|이랑|께서|의"
)
_ENDS = rf"(?:(?![가-힣])|(?={_PARTICLE}))"


def _korean(names: Iterable[str]) -> str:
    longest = sorted(names, key=len, reverse=True)
    return "|".join(
        re.escape(name).replace(r"\ ", r"\s?") + (rf"(?!{NOT_FOLLOWED[name]})" if name in NOT_FOLLOWED else "")
        for name in longest
    )


_GLUED = re.compile(_korean(KOREAN_NAMES))
_SPACED = re.compile(rf"\s({_korean(KOREAN_NAMES)}){_ENDS}")

_COUNTED_NATIVELY = """
명 개 살 시간 시 번째 번 마리 가지 배 달 곳 사람 차례 잔 병 장 채 척
그루 쌍 팀 편 군데 켤레 해 건 권 대 주 줄 곡 골 컵
"""
NATIVE_UNIT = rf"(?:{_korean(_COUNTED_NATIVELY.split())}){_ENDS}"
"""Pattern of what native numerals count: 열두 명, 세 시."""
SINO_UNIT = rf"(?:번째|분기|세기|월|시|조|항|호|차|{_korean(KOREAN_NAMES)}){_ENDS}"

_SIGN = r"[A-Za-zμΩ°%‰¢$€£¥₩]{1,6}(?:\^?[23](?![\d.,]?\d))?"
_SIGNS = re.compile(rf"(\s?)({_SIGN})(?:/({_SIGN})(?![A-Za-z])|\s?/\s?([가-힣]{{1,2}})(?![가-힣]))?(?![A-Za-z0-9])")
_PER = re.compile(rf"/\s?({_SIGN})(?![A-Za-z0-9])")
_NOUN = re.compile(r"\s[A-Za-z]{2}")
_WORDS = re.compile(r"[\s-]([A-Za-z]+(?:[\s-][A-Za-z]+){0,3})(?![A-Za-z0-9])")


def read_unit(text: str, place: int) -> UnitFound | None:
    """Find the unit that stands behind a number which ends at `place`, with or without a space between."""
    following = text[place : place + 2].lstrip()[:1]
    if not following:
        return None
    if "가" <= following <= "힣":
        return _read_korean(text, place)
    if following in "-\n":
        return _read_words(text, place)
    # Words first: "US dollars" are no microseconds.
    return (_read_words(text, place) if text[place].isspace() else None) or _read_signs(text, place)


def _read_korean(text: str, place: int) -> UnitFound | None:
    match = _GLUED.match(text, place)
    name = match[0] if match else ""
    if not match:
        match = _SPACED.match(text, place)
        name = match[1] if match else ""
    if not match:
        return None
    units = KOREAN_NAMES.get(name) or KOREAN_NAMES[" ".join(name.split())]
    if per := _PER.match(text, match.end()):
        below = _unit_of_sign(per[1])
        return UnitFound(per.end(), (_over(units[0], below[0]),)) if below else UnitFound(match.end(), units)
    return UnitFound(match.end(), units)


def _read_signs(text: str, place: int) -> UnitFound | None:
    match = _SIGNS.match(text, place)
    if not match:
        return None
    sign = match[2]
    if match[3] and (whole := _unit_of_sign(f"{sign}/{match[3]}")):
        return UnitFound(match.end(), whole)
    units = _unit_of_sign(sign, glued=not match[1])
    if not units:
        return None
    below = _unit_of_sign(match[3]) if match[3] else KOREAN_NAMES.get(match[4]) if match[4] else None
    if below:
        return UnitFound(match.end(), (_over(units[0], below[0]),))
    end = match.end(2)
    if sign == "%" and (points := re.match(r"\s?포인트|p(?![A-Za-z])", text[end : end + 4])):
        return UnitFound(end + points.end(), (BY_NAME["%p"],))
    doubtful = bool(match[1]) and len(sign) == 1 and sign.isupper() and _NOUN.match(text, end) is not None
    return UnitFound(end, units, doubtful)


def _read_words(text: str, place: int) -> UnitFound | None:
    match = _WORDS.match(text, place)
    if not match:
        return None
    words = list(re.finditer(r"[A-Za-z]+", match[1]))
    for last in reversed(words):
        name = re.sub(r"[\s-]+", " ", match[1][: last.end()]).lower()
        units = ENGLISH_NAMES.get(name)
        if units:
            return UnitFound(match.start(1) + last.end(), units)
    return None


@lru_cache(maxsize=4096)
def _unit_of_sign(sign: str, glued: bool = True) -> tuple[Unit, ...] | None:
    found = SIGNS.get(sign) or (_LOWERED.get(sign.lower()) if len(sign) > 1 else None)
    if not found and glued and sign == "C":
        return (BY_NAME["°C"],)
    if not found and glued:
        return ENGLISH_NAMES.get(sign.lower()) if len(sign) > 2 else None
    return found


@lru_cache(maxsize=1024)
def _over(upper: Unit, lower: Unit) -> Unit:
    """Divide a unit by another: mg/L, W/m2, 원/kg."""
    name, dimension = f"{upper.name}/{lower.name}", f"{upper.dimension}/{lower.dimension}"
    if dimension == "length/time":
        dimension = "speed"
    return Unit(name, dimension, upper.factor / lower.factor)


@lru_cache(maxsize=256)
def names_of(unit: str) -> tuple[str, ...]:
    """Give all names and signs of a unit."""
    tables = (KOREAN_NAMES, SIGNS, ENGLISH_NAMES)
    names = (name for table in tables for name, units in table.items() if any(each.name == unit for each in units))
    return tuple(dict.fromkeys((unit, *names)))


def per_time(unit: Unit, word: str) -> Unit:
    """Give the speed of which a length is said behind 시속, 분속 or 초속."""
    return _over(unit, BY_NAME[{"시속": "h", "분속": "min", "초속": "s"}[word]])
