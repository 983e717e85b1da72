"""Cut a question into the parts that ask for different things: pure, by rules of Korean and English grammar.

In: a question. Out: its parts, each with the words that only it has and as it would be asked alone, the shared topic
kept with each; none where it asks for one thing. It refuses to cut what may be a name or a comparison («Tom and Jerry»,
«A와 B의 차이»): a question left whole is answered as ever, one cut wrongly is not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from services.answer.parts_korean import asks_in_korean, clauses_in_korean, nouns_in_korean, topic_in_korean
from services.text.terms import terms

MOST_PARTS = 4
"""A question of more parts is an exam's, or was cut wrongly."""

_WH = r"(?:what|when|where|who|whom|whose|why|which|how)\b"
_PREPOSITION = r"(?:of|for|in|on|at|from|to|by|with|about)"
_WH_WORD = re.compile(rf"\b{_WH}", re.I)
_ENDS_ASKING = re.compile(r"(?:(?<=[?？])|(?<=[가-힣][.!])|(?<=[요까])(?=\s+그리고\s))\s+(?:그리고\s+|and\s+)?", re.I)
_IMPERATIVE = re.compile(r"(?:please\s+|also\s+)?(?:tell|show|give) me\b", re.I)
_CLAUSE = re.compile(
    rf",?\s+(?:and(?: also)?|as well as)\s+(?=(?:{_PREPOSITION}\s+)?{_WH}"
    r"|(?:is|are|was|were|do|does|did|has|have|can|will|should)\s+(?:it|its|they|their|he|she|his|her|the|there)\b)",
    re.I,
)
_POINTS_BACK = re.compile(r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|this|that|these|those)\b", re.I)
_COPULA = re.compile(rf"\b{_WH}\s+(?:is|are|was|were)\s+\S", re.I)
_COMPARES = re.compile(
    r"\b(?:differen\w*|differ|differs|between|compar\w*|versus|vs|relation\w*|relate\w*|both|either|neither|similar\w*"
    r"|common|same|equal|together|distinguish\w*|connect\w*|combin\w*|ratio|among|link\w*|interact\w*)\b",
    re.I,
)
_ASKS_FOR_NOUNS = re.compile(
    r"\A(?:(?P<ask>(?:please\s+)?(?:what(?:['’]s|\s+(?:is|are|was|were))|(?:tell|give|show)\s+me))\s+)?(?P<nouns>.+)\Z",
    re.I,
)
_SEPARATOR = re.compile(r",\s*(?:and\s+|as well as\s+)?|\s+(?:and|as well as)\s+", re.I)
_JOINS = re.compile(r"\b(?:and|as well as)\b", re.I)
_BINDS = re.compile(rf"\s{_PREPOSITION}\s+", re.I)
_BEGINS = re.compile(r"(?:the|a|an|its|their|his|her)\s+", re.I)
_BACK_TO = re.compile(r"(?:its|their|his|her)\s+", re.I)
_OWNER = re.compile(r"\A.*?['’]s\s+", re.I)
_SAYS = re.compile(
    r"\b(?:is|are|was|were|be|been|being|do|does|did|has|have|had|can|will|would|should|that|which|who|whom|whose|when"
    r"|what|how|why|where|if|not|doing|going|making|using|wearing)\b"
    rf"|\w{{2,}}ed(?=\s+(?:and|{_PREPOSITION})\b|\s*\Z)",
    re.I,
)
_FIXED = re.compile(
    r"\b(?:terms and conditions|pros and cons|research and development|supply and demand|health and safety"
    r"|rules and regulations|arts and crafts|food and drink|cause and effect|trial and error|law and order)\b",
    re.I,
)
_HANGUL = re.compile("[가-힣]")


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a question asks for.

    Attributes:
        text: as it would be asked alone: with the topic that it shares with the others.
        own: its own words, as they stand in the question.
        topic: the words of the question that it shares, "" where it stands by itself.
        listed: whether it is one of several things named side by side, which may be one name after all.
    """

    text: str
    own: str
    topic: str = ""
    listed: bool = False


def cut(question: str) -> tuple[Part, ...]:
    """Cut a question into two to four parts; none where it asks for one thing, or where a cut is in doubt."""
    sentences = _sentences(question.strip())
    found: list[Part] = []
    for at, sentence in enumerate(sentences):
        parts = _of_sentence(sentence)
        if at and not parts[0].topic:
            parts = [_with_topic(parts[0], sentences[0]), *parts[1:]]
        found += parts
    ask_alone = all(terms(part.own) for part in found)
    return tuple(found) if 2 <= len(found) <= MOST_PARTS and ask_alone else ()


def _sentences(question: str) -> list[str]:
    """Give the sentences of a question that all ask; else the whole of it: it has options, or tells something first."""
    found = [sentence.strip() for sentence in _ENDS_ASKING.split(question) if sentence.strip()]
    return found if all(map(_asks, found)) else [question]


def _asks(sentence: str) -> bool:
    return sentence[-1] in "?？" or _IMPERATIVE.match(sentence) is not None or asks_in_korean(sentence)


def _of_sentence(sentence: str) -> list[Part]:
    """Cut a sentence at its clauses, and each of them at its nouns."""
    bare = sentence.rstrip("?？!.。 ")
    if "?" in bare:
        return [Part(bare, bare)]
    return [part for clause in _clauses(bare) for part in _nouns(clause)]


def _clauses(bare: str) -> list[Part]:
    if _HANGUL.search(bare):
        (topic, first), *others = clauses_in_korean(bare)
        behind = [Part(f"{topic} {text}".strip(), text, topic) for topic, text in others]
        return [Part(first, first, topic), *behind]
    pieces = _CLAUSE.split(bare)
    if len(pieces) == 1 or not all(map(_stands_alone, pieces)):
        return [Part(bare, bare)]
    return [Part(pieces[0], pieces[0]), *(_with_topic(Part(piece, piece), pieces[0]) for piece in pieces[1:])]


def _stands_alone(clause: str) -> bool:
    """Say whether a clause asks and names what it asks about: of «when and where was it built» the first does not."""
    asks = len(_WH_WORD.findall(clause)) == 1 or _CLAUSE.match(f" and {clause}") is not None
    words = len(set(terms(clause)))
    return asks and (words >= 2 or bool(words and (_POINTS_BACK.search(clause) or _COPULA.search(clause))))


def _with_topic(part: Part, first: str) -> Part:
    """Give a later part the topic of the first where it points back at it, or says too little alone."""
    if _HANGUL.search(first):
        topic = topic_in_korean(first, part.own)
    elif _POINTS_BACK.search(part.own) or len(set(terms(part.own))) < 2:
        behind = _BINDS.split(f" {first.rstrip('?？!. ')}")
        topic = behind[-1] if len(behind) > 1 else first.rstrip("?？!. ")
    else:
        topic = ""
    return replace(part, text=f"{topic} {part.text}", topic=topic) if topic else part


def _nouns(clause: Part) -> list[Part]:
    """Cut a clause whose things asked for stand side by side: «what are the pressure and the maker of the valve»."""
    if _COMPARES.search(clause.own) or _FIXED.search(clause.own):
        return [clause]
    if _HANGUL.search(clause.own):
        found = nouns_in_korean(clause.own)
        listed = [(text, own, topic or clause.topic or _bound_to(own)) for text, own, topic in found]
    else:
        listed = _english_nouns(clause.own)
    return [Part(text, own, topic, listed=True) for text, own, topic in listed] or [clause]


def _english_nouns(clause: str) -> list[tuple[str, str, str]]:
    """Give text, own words and topic of each noun that is asked for; none where it is one, or in doubt."""
    asks = _ASKS_FOR_NOUNS.match(clause)
    if asks is None or not _JOINS.search(asks["nouns"]) or _SAYS.search(asks["nouns"]):
        return []
    pieces = [piece.strip() for piece in _SEPARATOR.split(asks["nouns"])]
    listed = [] if _may_be_name(pieces) else _listed(pieces)
    if asks["ask"] is None and not all(_BINDS.search(own) for _, own, _ in listed):
        return []  # «the men and the women of the army» asks for one thing
    return [(f"{asks['ask'] or ''} {text}".strip(), own, topic) for text, own, topic in listed]


def _may_be_name(pieces: Sequence[str]) -> bool:
    """Say whether words with capitals stand on both sides of a joint, or nothing does."""
    words = [_BEGINS.sub("", piece, count=1).split() for piece in pieces]
    if not all(words):
        return True
    pairs = pairwise(words)
    return any(left[-1][0].isupper() and right[0][0].isupper() for left, right in pairs)


def _listed(pieces: Sequence[str]) -> list[tuple[str, str, str]]:
    """Find what the pieces of a list share: text, own words and topic of each; none where that is in doubt."""
    bound = [_BINDS.search(piece) is not None for piece in pieces]
    first, last = pieces[0], pieces[-1]
    owner = _OWNER.match(first)
    begin = all(_BEGINS.match(piece) for piece in pieces[1:])
    if owner is None and not _BEGINS.match(first):
        return []
    if bound[-1] and not any(bound[:-1]):  # the pressure and the maker of the valve
        behind = _BINDS.search(last)
        at = behind.start() if behind else len(last)
        return [(f"{piece}{last[at:]}", piece, _bound_to(last)) for piece in [*pieces[:-1], last[:at]]]
    if all(bound):  # the pressure of the valve and the oil of the pump
        return [(piece, piece, _bound_to(piece)) for piece in pieces] if begin else []
    if " of " in first and not any(bound[1:]):  # the pressure of the valve and its maker
        topic = _bound_to(first)
        others = [(f"{piece} of {topic}", piece, topic) for piece in pieces[1:]]
        return [(first, first, topic), *others] if all(map(_BACK_TO.match, pieces[1:])) else []
    if owner is not None:  # the valve's pressure and maker
        topic = owner.group().strip()
        return [(f"{topic} {piece}", piece, topic) for piece in [first[owner.end() :], *pieces[1:]]]
    return [(piece, piece, "") for piece in pieces] if begin and not any(bound) else []


def _bound_to(nouns: str) -> str:
    """Give what a noun is bound to: «P-7» of «the grease interval of P-7»; "" where it is bound to nothing."""
    return _BINDS.split(nouns)[-1] if _BINDS.search(nouns) else ""
