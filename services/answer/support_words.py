"""The words of a question as they are looked for in a passage: inflected, misspelt, with or without spaces.

In: a question's weighted terms; a passage. Out: how much of each word the passage has, 0..1. Bigrams and stems find
passages; to say that a word is *missing* takes more care, since a refusal rests on it: `wrote` is there where `write`
is, 다운증후군 where 다운 증후군 is, `Kharezmid` where `Khwarezmid` is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from services.answer.question import Asked, read
from services.text.terms import content_of, fold, terms, worded_ids

RARE_FROM = 0.72
"""Share of a full weight from which a missing word may be a misspelt one: of 4,000 passages it is in six at most."""
ALIKE = 0.8
"""What a misspelt word, or the beginning of a Hangul word, counts at most."""
LEAST_COMMON = 0.6
"""Two stems with so much of the longer in common, and four letters at least, are taken for relatives."""

_ASKING = """
abl accord addit along amount anoth associ becom begin besid call came caus come common consid contain creat decid
describ due els end exampl exist famous far final find follow form found gave get give given go group happen held help
hold includ initi involv kind known larg lead like locat long made main make mean name need number occur often old one
order origin part place posit present previous primari prior produc provid purpos reach reason refer regard relat
respons result say seen sort start take term think thought time titl told took total tri type use want went word year
"""
ASKING = frozenset(_ASKING.split())
"""Stems that questions use and passages need not: most were missing in the first hit of more than half of the
answerable questions with them (docs/refusing.md)."""

_FORMS = """
began begun begin, wrote written write, took taken take, led lead, won win, lost lose, gave given give, went gone go,
came come, became become, made make, found find, held hold, built build, sold sell, told tell, said say, thought think,
brought bring, bought buy, left leave, kept keep, met meet, paid pay, sent send, spent spend, stood stand, taught teach,
wore worn wear, chose chosen choose, broke broken break, drew drawn draw, drove driven drive, fell fallen fall,
fought fight, flew flown fly, grew grown grow, knew known know, rose risen rise, ran run, saw seen see,
spoke spoken speak, stole stolen steal, threw thrown throw, understood understand, caught catch, felt feel,
got gotten get, heard hear, meant mean, shot shoot, sought seek, struck strike, fled flee, bore born birth,
children child, men man, women woman, people person, died dead death die, two 2, three 3, four 4, five 5, six 6,
seven 7, eight 8, nine 9, ten 10, eleven 11, twelve 12, largest larger biggest bigger big large,
highest higher high, oldest older old, earliest earlier early, lowest lower low, longest longer long,
smallest smaller small, french france, german germany, english england, british britain, spanish spain,
chinese china, irish ireland, european europe, scottish scotland, dutch netherlands
"""
"""Irregular forms in front of the one they are read as, and a few words that a stemmer tells apart."""

_ENDINGS = """
하였는가 되었는가 이었는가 했는가 됐는가 하는가 되는가 있는가 없는가 않는가 이었던 하였다 되었다 이었다 습니까
입니까 합니까 됩니까 에서는 에서도 으로도 이라는 이라고 인가 한다 된다 했다 였다 있다 없다 않다 않는 있는 없는
하는 되는 했던 들은 들이 들을 들의 에는 에도 에서 에게 으로 라는 라고 이며 이다 까지 부터 보다 처럼 과의 와의
로는 이나 하고 하여 해서 되어 은 는 이 가 을 를 의 에 로 와 과 도 만 나 인 한 된 할 될 해
"""
_ENDING = re.compile(rf"(?:{'|'.join(sorted(_ENDINGS.split(), key=len, reverse=True))})\Z")


def _one_stem(word: str) -> str:
    return (terms(word) or [word])[0]


_READ_AS = {_one_stem(form): _one_stem(group.split()[-1]) for group in _FORMS.split(",") for form in group.split()[:-1]}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A word of the question.

    Attributes:
        form: the stem, or for Hangul the word without its ending.
        terms: under which it is weighed and indexed.
        weight: of its heaviest term.
        hangul: whether it is a run of Hangul, Kana or Han.
        asking: a word that only helps to ask, which a passage need not have.
        rare: it may be misspelt.
    """

    form: str
    terms: tuple[str, ...]
    weight: float
    hangul: bool
    name: bool
    asking: bool
    rare: bool


def wanted(asked: Asked) -> list[Wanted]:
    """Give the distinct words of a question that have weight, in its order."""
    found: dict[str, Wanted] = {}
    for kind, token, _ in worded_ids(content_of(asked.text)):
        its_terms = tuple(term for term in terms(token) if term in asked.weights)
        if its_terms:
            word = _wanted(asked, kind == "run", token, its_terms)
            found.setdefault(word.form, word)
    return list(found.values())


def words_in(text: str) -> list[Wanted]:
    """Give the distinct words of any text, none weighing more than another: to look for it somewhere else."""
    return wanted(read(text, dict.fromkeys(terms(text), 1.0), 1.0))


def _wanted(asked: Asked, hangul: bool, token: str, its_terms: tuple[str, ...]) -> Wanted:
    last = its_terms[-1]
    form = without_ending(token) if hangul else _READ_AS.get(last, last)
    weight = max(asked.weights[term] for term in its_terms)
    asking, rare = last in ASKING or form in ASKING, weight > RARE_FROM * asked.full
    return Wanted(form, its_terms, weight, hangul, last in asked.names, asking, rare)


def without_ending(word: str) -> str:
    """Cut the particle or ending off a Hangul word, where two characters are left."""
    bare = _ENDING.sub("", word)
    return bare if len(bare) >= 2 else word


class Wording:
    """What a passage or sentence, with its title, says: where words are looked for."""

    def __init__(self, title: str, text: str) -> None:
        self.whole = f"{title}\n{text}"
        self.text = text
        self.terms = set(terms(self.whole))

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset(_READ_AS.get(term, term) for term in self.terms)

    @cached_property
    def unspaced(self) -> str:
        return re.sub(r"\s+", "", fold(self.whole))

    @cached_property
    def text_unspaced(self) -> str:
        return re.sub(r"\s+", "", fold(self.text))

    @cached_property
    def by_first(self) -> dict[str, list[str]]:
        """Stems of four letters and more by their first letter."""
        found: dict[str, list[str]] = {}
        for stem in self.stems:
            if len(stem) >= 4:
                found.setdefault(stem[0], []).append(stem)
        return found

    def has(self, word: Wanted) -> float:
        """Say how much of a word is here, 0..1."""
        if word.hangul:
            return _beginning(word.form, self.unspaced)
        if word.form in self.stems:
            return 1.0
        if len(word.form) < 4 or word.form[0].isdigit():
            return 0.0
        rare = word.rare and len(word.form) >= 5
        return max(_likeness(word.form, rare, self.by_first.get(word.form[0], ())), default=0.0)


def _beginning(form: str, text: str) -> float:
    if form in text:
        return 1.0
    for length in range(len(form) - 1, 1, -1):
        if form[:length] in text:
            return ALIKE * length / len(form)
    return 0.0


def _likeness(form: str, rare: bool, stems: Sequence[str]) -> Iterator[float]:
    for stem in stems:
        common = next((at for at, (one, other) in enumerate(zip(form, stem, strict=False)) if one != other), None)
        shared = min(len(form), len(stem)) if common is None else common
        share = shared / max(len(form), len(stem))
        if shared >= 4 and share >= LEAST_COMMON:
            yield share
        if rare and _is_misspelt(form, stem):
            yield ALIKE


def _is_misspelt(one: str, other: str) -> bool:
    """Say whether one edit, or two in a word of eight letters and more, make one word of the other."""
    most = 2 if len(one) >= 8 else 1
    if abs(len(one) - len(other)) > most:
        return False
    before = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        now = [row]
        for column, its in enumerate(other, start=1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (letter != its)))
        if min(now) > most:
            return False
        before = now
    return before[-1] <= most
