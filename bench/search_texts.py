"""Texts of any number, resampled from real ones, and questions to ask about them.

In: a folder of evaluation sets (docs/evaluation.md), or of files as they are; without one the files of samples/. Out:
made documents, each of PASSAGES passages. A made passage is a real one in which each sentence stays or gives way to
another of its language with equal chance: terms keep their frequencies and their neighbours, no two passages are alike.
The vocabulary does not grow with the number, as that of a real corpus does: in a million chunks even a rare term is in
some hundred, which is harder for the lexical leg than what grew by itself.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.ingest_by_hand import parsed
from services.evaluate.sets import CORPUS, read_sets
from services.text.language import detect
from services.text.sentences import sentences

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
PASSAGES = (4, 16)
"""Passages of a made document, least and most."""
CHARS = (200, 1150)
"""Characters of a made passage, so that each becomes one leaf (services/text/chunks.py)."""
STAYS = 0.5
WORDS = (3, 8)
"""Words of a question that is cut from a text, where there are none that people asked."""
MANY = 20_000
"""Questions that are kept to choose from."""


@dataclass(frozen=True, slots=True)
class Real:
    """A real passage: its document's title, its language, its sentences."""

    title: str
    language: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Texts:
    """Real passages; their sentences and the questions by language."""

    passages: tuple[Real, ...]
    sentences: dict[str, list[str]]
    questions: dict[str, list[str]]

    def document(self, number: int) -> tuple[str, list[list[str]]]:
        """Make a document: its title, and its passages by their sentences, the same for the same number."""
        chance = random.Random(number)
        chosen = chance.choices(self.passages, k=chance.randint(*PASSAGES))
        return chosen[0].title, [self._passage(real, chance) for real in chosen]

    def _passage(self, real: Real, chance: random.Random) -> list[str]:
        others = self.sentences[real.language]
        made, chars = list[str](), 0
        for each in real.sentences:
            sentence = each if chance.random() < STAYS else chance.choice(others)
            if chars + len(sentence) < CHARS[1]:
                made.append(sentence)
                chars += len(sentence) + 1
        while chars <= CHARS[0] or not made:
            made.append(chance.choice(others)[: CHARS[1] - chars])
            chars += len(made[-1]) + 1
        return made

    def asked(self, count: int, seed: int) -> list[str]:
        """Choose questions, of each language as many."""
        chance = random.Random(seed)
        languages = [known for known in sorted(self.questions) if self.questions[known]]
        return [chance.choice(self.questions[languages[place % len(languages)]]) for place in range(count)]


def read_texts(folder: Path | None) -> Texts:
    """Read the real texts of a folder; what is no evaluation set is read as files."""
    folder = folder or SAMPLES
    if any(folder.glob(f"*/{CORPUS}")) or (folder / CORPUS).is_file():
        sets = read_sets(folder)
        passages = [
            _real(document.title or document.id, text)
            for each in sets
            for document in each.documents
            for _, text in document.passages
        ]
        asked = [question.query for each in sets for question in each.questions]
        return _texts(passages, asked)
    found = [parsed(path) for path in sorted(folder.iterdir()) if path.is_file()]
    passages = [_real(header.title, page.text) for header, pages in found for page in pages if page.text.strip()]
    return _texts(passages, _cut(passages))


def _real(title: str, text: str) -> Real:
    found = (" ".join(text[span.start : span.end].split()) for span in sentences(text))
    return Real(title, _language(text), tuple(found))


def _language(text: str) -> str:
    return "en" if detect(text) == "en" else "ko"


def _texts(passages: Sequence[Real], asked: Sequence[str]) -> Texts:
    pools: dict[str, list[str]] = {"en": [], "ko": []}
    for real in passages:
        pools[real.language].extend(real.sentences)
    questions: dict[str, list[str]] = {"en": [], "ko": []}
    for question in asked:
        questions[_language(question)].append(question)
    return Texts(tuple(passages), pools, questions)


def _cut(passages: Sequence[Real], seed: int = 7) -> list[str]:
    """Cut questions out of sentences, as somebody searches who remembers some words of it."""
    chance, found = random.Random(seed), list[str]()
    every = [sentence.split() for real in passages for sentence in real.sentences]
    while len(found) < MANY:
        words = chance.choice(every)
        length = min(chance.randint(*WORDS), len(words))
        start = chance.randint(0, len(words) - length)
        found.append(" ".join(words[start : start + length]))
    return found
