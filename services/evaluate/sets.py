"""Evaluation sets as they lie in a folder: documents of passages, and questions that say which passage answers them.

In: a folder of sets, or one set: `<set>/corpus.jsonl` and `<set>/questions.jsonl` (docs/evaluation.md has the fields).
Out: sets, and their documents as Markdown files. Refuses a folder without a set, a line that cannot be read, and a
question about a passage that is not there.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from services.kit.errors import SeodangError

CORPUS, QUESTIONS = "corpus.jsonl", "questions.jsonl"
ANSWERABLE = "answerable"
MAX_NAME_BYTES = 200
"""A file's name may have 255 bytes; the suffix and some room are left."""

Made = TypeVar("Made")


class SetError(SeodangError):
    """A folder holds no evaluation set, or one that cannot be read; the sentence says what to mend."""


@dataclass(frozen=True, slots=True)
class SetDocument:
    """A document of a set: its title, "" where it has none, and its passages as (id, text), in order."""

    id: str
    title: str
    passages: tuple[tuple[str, str], ...]

    def markdown(self) -> str:
        """Write it as a file: the title as a heading, the passages as paragraphs."""
        heading = f"# {self.title}\n\n" if self.title else ""
        return heading + "\n\n".join(text for _, text in self.passages) + "\n"


@dataclass(frozen=True, slots=True)
class Question:
    """A question; `gold` are the passages that answer it, one is enough; empty where nothing in the corpus does.
    `answers` are strings of which a right answer holds one; empty where nobody wrote any down. `correct` is the right
    one of `choices`, counted from 0; None where the set does not say."""

    id: str
    set: str
    language: str
    text: str
    kind: str
    gold: tuple[str, ...]
    choices: tuple[str, ...]
    yes_or_no: bool
    tags: tuple[str, ...]
    answers: tuple[str, ...] = ()
    correct: int | None = None

    @property
    def query(self) -> str:
        """What is searched for and asked: a multiple-choice question with its options."""
        return " ".join((self.text, *self.choices))


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """A set, with the hashes of its two files."""

    name: str
    documents: tuple[SetDocument, ...]
    questions: tuple[Question, ...]
    corpus_sha256: str
    questions_sha256: str

    def passages(self) -> dict[str, str]:
        """Give the texts of the passages by their ids."""
        return {number: text for document in self.documents for number, text in document.passages}

    def stamp(self) -> dict[str, object]:
        """Say which set this is, for whoever compares two runs."""
        return {
            "corpus_sha256": self.corpus_sha256,
            "questions_sha256": self.questions_sha256,
            "documents": len(self.documents),
            "passages": sum(len(document.passages) for document in self.documents),
        }


def read_sets(folder: Path) -> list[EvaluationSet]:
    """Read the sets of a folder in the order of their names; a folder that is a set itself is one.

    Raises:
        SetError: there is none, or one cannot be read.
    """
    if (folder / CORPUS).is_file():
        return [_read_set(folder.resolve())]
    found = [path.parent for path in sorted(folder.glob(f"*/{CORPUS}"))]
    if not found:
        raise SetError(
            f"There is no evaluation set in {folder}: a set is a folder with {CORPUS} and {QUESTIONS}; name one, or "
            "the folder that holds several (docs/evaluation.md)."
        )
    return [_read_set(path) for path in found]


def write_documents(one: EvaluationSet, folder: Path) -> None:
    """Write each document of a set that has a passage as a Markdown file; the folder is made."""
    folder.mkdir(parents=True)
    for document in one.documents:
        if document.passages:
            (folder / f"{document.id}.md").write_text(document.markdown(), encoding="utf-8", errors="replace")


def _read_set(folder: Path) -> EvaluationSet:
    corpus, questions = folder / CORPUS, folder / QUESTIONS
    if not questions.is_file():
        raise SetError(f"The set {folder} has no {QUESTIONS}: put it beside {CORPUS}.")
    documents = tuple(_each(corpus, _document))
    known = {number for document in documents for number, _ in document.passages}
    asked = tuple(_each(questions, lambda values: _question(values, folder.name)))
    lost = next((each for each in asked if not known.issuperset(each.gold)), None)
    if lost is not None:
        raise SetError(f"{questions}: the question {lost.id} is answered by a passage that {CORPUS} does not have.")
    return EvaluationSet(folder.name, documents, asked, _sha256(corpus), _sha256(questions))


def _each(path: Path, make: Callable[[Mapping[str, Any]], Made]) -> Iterator[Made]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield make(json.loads(line))
                except (ValueError, KeyError, TypeError) as error:
                    raise SetError(f"{path}, line {number} cannot be read: {error!r}.") from error


def _document(values: Mapping[str, Any]) -> SetDocument:
    passages = tuple((str(each["id"]), str(each["text"])) for each in values["passages"])
    return SetDocument(_file_name(str(values["doc_id"])), str(values.get("title") or ""), passages)


def _file_name(given: str) -> str:
    if Path(given).name != given or given.startswith((".", "~")) or len(given.encode()) > MAX_NAME_BYTES:
        raise ValueError(f"the doc_id {given!r} is no file name")
    return given


def _question(values: Mapping[str, Any], set_name: str) -> Question:
    return Question(
        id=str(values["id"]),
        set=set_name,
        language=str(values.get("lang") or ""),
        text=str(values["text"]),
        kind=str(values.get("kind") or ANSWERABLE),
        gold=_strings(values.get("gold")),
        choices=_strings(values.get("choices")),
        yes_or_no=values.get("yesno") is not None,
        tags=_strings(values.get("tags")),
        correct=None if values.get("correct") is None else int(values["correct"]),
        answers=_strings(values.get("answers")),
    )


def _strings(given: Sequence[Any] | None) -> tuple[str, ...]:
    return tuple(str(each) for each in given or ())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
