"""The numbering of a DOCX (numbering.xml and styles) -> what Word prints before each paragraph.

The rules are of ECMA-376 part 1, 17.9: paragraphs name a numbering instance and a level, themselves or by their
style; instances of one abstract numbering count on together unless they override a start. Nothing here reads
a file; the paragraphs must come in document order, since every question counts one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.formats.numbering import MOST_LEVELS, Counter, ordinal

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SIGN = re.compile(r"%([1-9])")
_MOST_LEVELS = 9
_BULLET = "-"  # whatever sign the font shows: often a private-use character
_Element = Any  # lxml has no types

# ST_NumberFormat of ECMA-376; what is not here is written in digits.
_FORMS = {
    "decimal": "digit",
    "decimalZero": "padded",
    "decimalEnclosedCircle": "circled",
    "decimalEnclosedParen": "parenthesised",
    "upperRoman": "ROMAN",
    "lowerRoman": "roman",
    "upperLetter": "LATIN",
    "lowerLetter": "latin",
    "ordinal": "ordinal",
    "ganada": "ganada",
    "chosung": "jamo",
    "koreanDigital": "spelled",
    "koreanDigital2": "spelled hanja of Korea",
    "koreanCounting": "sino",
    "koreanLegal": "native",
    "chineseCounting": "hanja",
    "ideographDigital": "spelled hanja",
    "japaneseCounting": "hanja",
    "ideographTraditional": "stems hanja",
    "ideographZodiac": "branches hanja",
    "ideographEnclosedCircle": "circled hanja",
}


@dataclass(frozen=True, slots=True)
class _Level:
    form: str
    pattern: str
    start: int
    restarts_after: int | None  # 1-based level whose paragraphs begin this one anew; 0 none, None every higher
    legal: bool  # all numbers in digits
    style: str


@dataclass(frozen=True, slots=True)
class _Instance:
    abstract: str
    levels: Mapping[int, _Level]
    overridden: Mapping[int, int]  # starts by level


@dataclass(slots=True)
class Numbering:
    """The counters of a document. Without a numbering part every paragraph has no number."""

    instances: dict[str, _Instance] = field(default_factory=dict)
    styles: Mapping[str, _Element] = field(default_factory=dict)
    counters: dict[str, Counter] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)

    def step(self, paragraph: _Element) -> str:
        """Count the paragraph `w:p` and give its number or "-" for a bullet, "" when it has none."""
        number_id, level = self._place(paragraph)
        instance = self.instances.get(number_id)
        if instance is None or level not in instance.levels or _is_deleted(paragraph):
            return ""
        numbers = self._counted(number_id, instance, level)
        rule = instance.levels[level]
        return _BULLET if rule.form == "bullet" else _filled(rule, instance.levels, numbers)

    def _place(self, paragraph: _Element) -> tuple[str, int]:
        own = paragraph.find(f"{_W}pPr/{_W}numPr")
        number_id, level = _value(own, "numId"), _value(own, "ilvl")
        if not number_id:
            number_id, style_id, of_style = self._of_style(_value(paragraph.find(f"{_W}pPr"), "pStyle"))
            level = level or self._level_of_style(number_id, style_id) or of_style
        return number_id, int(level) if level.isdecimal() else 0

    def _of_style(self, style_id: str) -> tuple[str, str, str]:
        """Give (instance, the style that names it, level) along the styles it is based on."""
        seen: set[str] = set()
        named, level = "", ""
        while style_id in self.styles and style_id not in seen:  # basedOn may run in a circle
            seen.add(style_id)
            numbering = self.styles[style_id].find(f"{_W}pPr/{_W}numPr")
            if numbering is not None:  # one with a level alone takes the list of its base
                named, level = named or style_id, level or _value(numbering, "ilvl")
                if number_id := _value(numbering, "numId"):
                    return number_id, named, level
            style_id = _value(self.styles[style_id], "basedOn")
        return "", "", ""

    def _level_of_style(self, number_id: str, style_id: str) -> str:
        instance = self.instances.get(number_id)
        levels = instance.levels.items() if instance else ()
        return next((str(place) for place, level in levels if style_id and level.style == style_id), "")

    def _counted(self, number_id: str, instance: _Instance, level: int) -> list[int]:
        starts = [instance.levels[place].start if place in instance.levels else 1 for place in range(MOST_LEVELS)]
        for place, start in instance.overridden.items():
            starts[place] = start
        counter = self.counters.setdefault(instance.abstract, Counter(starts, begins_passed=False))
        counter.starts = starts
        if number_id not in self.met:
            self.met.add(number_id)
            for place in instance.overridden:
                counter.counts[place] = None
        return counter.step(level, kept=[place for place, rule in instance.levels.items() if _stays(rule, level)])


def _stays(rule: _Level, level: int) -> bool:
    return rule.restarts_after is not None and level + 1 > rule.restarts_after


def _is_deleted(paragraph: _Element) -> bool:
    """Say whether the paragraph's own mark is deleted or moved away under review: Word counts it no more."""
    marks = paragraph.find(f"{_W}pPr/{_W}rPr")
    return marks is not None and any(marks.find(_W + name) is not None for name in ("del", "moveFrom"))


def _filled(rule: _Level, levels: Mapping[int, _Level], numbers: list[int]) -> str:
    def sign(match: re.Match[str]) -> str:
        place = int(match[1]) - 1
        if place >= len(numbers) or place not in levels:
            return ""
        form = levels[place].form
        if form == "none":
            return ""
        return ordinal("digit" if rule.legal else _FORMS.get(form, "digit"), numbers[place])

    return _SIGN.sub(sign, rule.pattern).strip()


def read(numbering: _Element | None, styles: Mapping[str, _Element]) -> Numbering:
    """Read a `w:numbering` element (None: the document has none); `styles` are `w:style` by id."""
    result = Numbering(styles=styles)
    if numbering is None:
        return result
    abstracts = {each.get(f"{_W}abstractNumId"): each for each in numbering.iter(f"{_W}abstractNum")}
    linked = {_value(each, "styleLink"): name for name, each in abstracts.items() if _value(each, "styleLink")}
    for each in numbering.iter(f"{_W}num"):
        name = _value(each, "abstractNumId")
        if name in abstracts:
            name = linked.get(_value(abstracts[name], "numStyleLink"), name)
            result.instances[each.get(f"{_W}numId") or ""] = _instance(name, abstracts[name], each)
    result.instances.pop("0", None)  # "0" takes a number away
    return result


def _instance(name: str, abstract: _Element, element: _Element) -> _Instance:
    levels = {place: _level(each) for each in abstract.iterchildren(f"{_W}lvl") if (place := _place(each)) is not None}
    starts: dict[int, int] = {}
    for override in element.iterchildren(f"{_W}lvlOverride"):
        place = _place(override)
        if place is None:
            continue
        if (own := override.find(f"{_W}lvl")) is not None:
            levels[place] = _level(own)
        if (start := _value(override, "startOverride")).isdecimal():
            starts[place] = int(start)
    return _Instance(name, levels, starts)


def _place(element: _Element) -> int | None:
    place = element.get(f"{_W}ilvl") or ""
    return int(place) if place.isdecimal() and int(place) < _MOST_LEVELS else None


def _level(element: _Element) -> _Level:
    restart, start = _value(element, "lvlRestart"), _value(element, "start")
    legal = element.find(f"{_W}isLgl")
    forms = [each.get(f"{_W}val") or "" for each in element.iter(f"{_W}numFmt")]  # newer ones stand in alternatives
    return _Level(
        form=next((form for form in forms if form and form != "custom"), "decimal"),
        pattern=_value(element, "lvlText"),
        start=int(start) if start.isdecimal() else 0,
        restarts_after=int(restart) if restart.isdecimal() else None,
        legal=legal is not None and legal.get(f"{_W}val") not in ("0", "false"),
        style=_value(element, "pStyle"),
    )


def _value(element: _Element | None, name: str) -> str:
    found = None if element is None else element.find(_W + name)
    return "" if found is None else found.get(f"{_W}val") or ""
