"""What a question of the bank is, and how named values from a file become one.

In: a row of a file, as values by the names of `FIELDS`. Out: a `Question`, or for each field that will not do a
sentence that says what to mend. It refuses what the tables refuse, before they have to.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from db.study_rows import QuestionText
from services.kit.errors import SeodangError
from services.text.normalise import normalise

MAX_CHOICES, MIN_CHOICES = 5, 2
MAX_TEXT_CHARS, MAX_CHOICE_CHARS, MAX_EXPLANATION_CHARS, MAX_KEY_CHARS = 10_000, 2_000, 20_000, 200
"""The rules of the table study_questions."""
MAX_ROUND_QUESTIONS = 300
MAX_INTEGER = 2**31 - 1

CHOICES = tuple(f"choice_{number}" for number in range(1, MAX_CHOICES + 1))
FIELDS = ("id", "question", *CHOICES, "answer", "explanation", "exam", "round", "number", "tags")
"""Names of a question's fields in a file, in the order of a table."""
LISTED, COUNTED = "choices", "correct"
"""Besides: all choices as a list, and the right one as an index counted from a base that the reader is told."""

_ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "guid", "key", "sourcekey", "식별자", "고유번호"),
    "question": ("question", "text", "stem", "front", "문제", "문항", "질문"),
    "answer": ("answer", "correctanswer", "correctchoice", "correctanswernum", "정답", "답", "정답번호"),
    "explanation": ("explanation", "해설", "풀이", "설명"),
    "exam": ("exam", "examname", "시험", "시험명"),
    "round": ("round", "examround", "회차", "회"),
    "number": ("number", "examnumber", "no", "번호", "문제번호", "문항번호"),
    "tags": ("tags", "tag", "태그", "분류"),
    LISTED: ("choices", "options", "보기", "선택지", "선지"),
    COUNTED: ("correct",),
}
_NAMES = {alias: name for name, aliases in _ALIASES.items() for alias in aliases}
_CHOICE_NAME = re.compile(r"(?:choice|option|mcanswer|answer|q|보기|선택지|선지|답안)?([1-9])번?")
_LETTERS = "abcdefghi"
_POSITION = re.compile(r"[(\[]?([1-9])(?:\.0+)?\s*(?:[).\]]|번)?")
_LETTER = re.compile(r"[(\[]?([A-Ia-i])[).\]]?")
Value = TypeVar("Value")


class ImportRefused(SeodangError):
    """A file cannot be read as questions at all; the sentence says what to mend."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question as a person writes it; `correct` counts the choices from 1, `key` is its name in its file."""

    key: str
    text: str
    choices: tuple[str, ...]
    correct: int
    explanation: str | None = None
    exam_name: str | None = None
    exam_round: int | None = None
    exam_number: int | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a row was refused: its number in the file, the field ("" for all of it), and what to do."""

    row: int
    field: str
    why: str


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row of a file: its number as its program shows it, from 1, and its values by the names of `FIELDS`."""

    number: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file holds; `ignored` are the columns that mean nothing here, `refused` rows that could not be read."""

    rows: Sequence[RawRow]
    ignored: Sequence[str] = ()
    refused: Sequence[Complaint] = ()


def field_named(header: str) -> str | None:
    """Give the field that a column's name means, in Korean or English, None where it means nothing here."""
    plain = re.sub(r"[\s_.\-#:()]+", "", unicodedata.normalize("NFKC", header).casefold())
    if found := _NAMES.get(plain):
        return found
    if choice := _CHOICE_NAME.fullmatch(plain):
        return f"choice_{choice[1]}"
    return f"choice_{_LETTERS.index(plain) + 1}" if len(plain) == 1 and plain in _LETTERS else None


def question_of(question: QuestionText) -> Question:
    """Give a stored question as files and people know it."""
    choices = (question.choice_1, question.choice_2, question.choice_3, question.choice_4, question.choice_5)
    return Question(
        question.source_key,
        question.text,
        tuple(each for each in choices if each is not None),
        question.correct_choice,
        question.explanation,
        question.exam_name,
        question.exam_round,
        question.exam_number,
        tuple(question.tags),
    )


def content_key(text: str, choices: Sequence[str]) -> str:
    """Name a question that has no name by what it says; how its spaces stand does not count."""
    plain = [" ".join(normalise(each).split()) for each in (text, *choices)]
    return hashlib.sha256(json.dumps(plain, ensure_ascii=False).encode()).hexdigest()


def read_question(row: RawRow, first_choice: int = 0) -> Question | list[Complaint]:
    """Make a question of a row.

    Args:
        first_choice: what `correct` calls the first choice, 0 or 1; `answer` always counts from 1.
    Returns:
        the question, or every complaint about the row. Without an id its key is made from text and choices.
    """
    reading = _Reading(row, first_choice)
    text = reading.field("question", lambda value: _text(value, MAX_TEXT_CHARS), "")
    none: tuple[str, ...] = ()
    choices = reading.field("choices", lambda _: _choices(row.values), none)
    correct = reading.answer(choices) if choices else 0
    if correct and choices.count(choices[correct - 1]) > 1:
        why = "says what is right twice: no answer could tell the two apart, change one."
        reading.complaints.append(Complaint(row.number, "choices", why))
    question = Question(
        reading.field("id", lambda value: _short(value) or content_key(text, choices), ""),
        text,
        choices,
        correct,
        reading.field("explanation", lambda value: _text(value, MAX_EXPLANATION_CHARS, may_miss=True) or None, None),
        reading.field("exam", lambda value: _short(value) or None, None),
        reading.field("round", lambda value: _whole(value, MAX_INTEGER), None),
        reading.field("number", lambda value: _whole(value, _most_number(row.values)), None),
        reading.field("tags", _tags, none),
    )
    return reading.complaints or question


class _Reading:
    """Reads field after field and gathers the complaints: a person mends a row once, not field by field."""

    def __init__(self, row: RawRow, first_choice: int) -> None:
        self.row, self.first_choice = row, first_choice
        self.complaints: list[Complaint] = []

    def field(self, name: str, read: Callable[[Any], Value], otherwise: Value) -> Value:
        try:
            return read(self.row.values.get(name))
        except ValueError as error:
            self.complaints.append(Complaint(self.row.number, name, str(error)))
            return otherwise

    def answer(self, choices: Sequence[str]) -> int:
        values = self.row.values
        if not _is_missing(values.get("answer")) or _is_missing(values.get(COUNTED)):
            return self.field("answer", lambda value: _answer(value, choices), 0)
        return self.field(COUNTED, lambda value: _counted(value, choices, self.first_choice), 0)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def plain_text(value: Any) -> str:
    """Write a value of a file as the text that is stored: NFC, line ends LF, nothing around it; "" for nothing.

    Raises:
        ValueError: it is a list, an object or a truth value.
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"is {json.dumps(value, ensure_ascii=False, default=str)[:60]}: write it as text.")
    return normalise(str(value)).strip()


def _text(value: Any, most: int, may_miss: bool = False) -> str:
    text = plain_text(value)
    if not text and not may_miss:
        raise ValueError("is empty: write it, or leave the row out.")
    if len(text) > most:
        raise ValueError(f"has {len(text):,} characters, {most:,} is the most: shorten it. Is a quotation mark open?")
    return text


def _short(value: Any) -> str:
    return " ".join(_text(value, MAX_KEY_CHARS, may_miss=True).split())


def _choices(values: Mapping[str, Any]) -> tuple[str, ...]:
    listed = values.get(LISTED)
    if listed is not None and not isinstance(listed, list):
        raise ValueError('is no list: write it as ["…", "…"], or use choice_1 to choice_5.')
    names = [name for name in values if name.startswith("choice_")]
    width = max((int(name[-1]) for name in names), default=0)
    given = listed if listed is not None else [values.get(f"choice_{n}") for n in range(1, width + 1)]
    texts = [_text(each, MAX_CHOICE_CHARS, may_miss=True) for each in given]
    while texts and not texts[-1]:
        texts.pop()
    if not MIN_CHOICES <= len(texts) <= MAX_CHOICES:
        raise ValueError(f"has {len(texts)}, two to five are needed: add the missing ones or leave some out.")
    if "" in texts:
        raise ValueError(f"leaves choice {texts.index('') + 1} empty before a later one: close the gap.")
    return tuple(texts)


def _answer(value: Any, choices: Sequence[str]) -> int:
    """Read a number from 1, a letter, a circled number, or the choice's own words, in this order."""
    said = plain_text(value)
    if not said:
        raise ValueError("is empty: give the right choice as 1 to 5, A to E, ① to ⑤, or its text.")
    plain = unicodedata.normalize("NFKC", said)
    if found := _POSITION.fullmatch(plain):
        position = int(found[1])
    elif letter := _LETTER.fullmatch(plain):
        position = _LETTERS.index(letter[1].lower()) + 1
    else:
        position = next((n for n, each in enumerate(choices, 1) if each == said), 0)
    if not 1 <= position <= len(choices):
        raise ValueError(f"is {said[:60]!r}: give one of the {len(choices)} choices as number, letter or text.")
    return position


def _counted(value: Any, choices: Sequence[str], first: int) -> int:
    said = _whole(value, MAX_INTEGER, least=0)
    if said is None or not first <= said < first + len(choices):
        raise ValueError(f"is {said}: it counts the choices from {first} to {first + len(choices) - 1} "
                         "(option --first-choice).")  # fmt: skip
    return said - first + 1


def _most_number(values: Mapping[str, Any]) -> int:
    return MAX_INTEGER if _is_missing(values.get("round")) else MAX_ROUND_QUESTIONS


def _whole(value: Any, most: int, least: int = 1) -> int | None:
    said = unicodedata.normalize("NFKC", plain_text(value))
    if not said:
        return None
    found = re.fullmatch(r"제?\s*(\d{1,10})(?:\.0+)?\s*[회번]?", said)
    if found is None or not least <= int(found[1]) <= most:
        raise ValueError(f"is {said[:60]!r}: write a whole number from {least} to {most}, or nothing.")
    return int(found[1])


def _tags(value: Any) -> tuple[str, ...]:
    """Read a list, a JSON list in a cell, or words between commas and semicolons; each tag once, in their order."""
    given = value
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            given = json.loads(value)
        except ValueError as error:
            raise ValueError(f"begins like a JSON list and is none ({error}): mend it, or write a, b, c.") from error
    words = given if isinstance(given, list) else re.split(r"[,;]", plain_text(given))
    return tuple(dict.fromkeys(filter(None, map(_short, words))))
