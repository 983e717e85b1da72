"""Number the passages that an answer may rest on.

In: ranked hits. Out: numbered evidence, best first. It leaves out restricted material (behaviours R06, R07),
digests, which a model may have written, and passages that say again, word for word, what a better one says. A search
for evidence leaves the first two out itself (Filters.for_evidence), so that they take nobody's place among its hits;
here they are refused, whatever was searched.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.search.filters import DIGEST

MAX_EVIDENCE = 5
"""The answer stands in the top five passages for .96 of the English questions and .98 of the Korean
(evaluation sets)."""

SAME_FROM = 0.9
"""Share of common words from which two passages are the same one: two editions of a page differ by more than
that wherever a paragraph was reworded, while a copy with another page number does not."""


class RankedHit(Protocol):
    """What a hit of the search must tell; `start` is the passage's place in its page, in characters."""

    @property
    def chunk_id(self) -> int: ...
    @property
    def document_id(self) -> int: ...
    @property
    def title(self) -> str: ...
    @property
    def page(self) -> int: ...
    @property
    def start(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def material_type(self) -> str | None: ...
    @property
    def restricted(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """A numbered passage: `page_text[page_start:page_start + len(text)] == text`."""

    n: int
    chunk_id: int
    document_id: int
    title: str
    page: int
    page_start: int
    text: str
    score: float
    restricted: bool


def number(hits: Iterable[RankedHit], limit: int = MAX_EVIDENCE) -> list[Evidence]:
    """Make numbered evidence of hits.

    Args:
        hits: best first.
        limit: how many at most.
    Returns:
        n from 1, in the order of the hits; nothing restricted, no digest; of near-equal passages only the best.
    """
    kept: list[RankedHit] = []
    words: list[frozenset[str]] = []
    for hit in hits:
        mine = frozenset(hit.text.lower().split())
        if len(kept) == limit:
            break
        if mine and not hit.restricted and hit.material_type != DIGEST and not _is_known(mine, words):
            kept.append(hit)
            words.append(mine)
    return [_evidence(n, hit) for n, hit in enumerate(kept, start=1)]


def _is_known(mine: frozenset[str], others: Sequence[frozenset[str]]) -> bool:
    return any(len(mine & other) >= SAME_FROM * len(mine | other) for other in others)


def _evidence(n: int, hit: RankedHit) -> Evidence:
    return Evidence(
        n, hit.chunk_id, hit.document_id, hit.title, hit.page, hit.start, hit.text, hit.score, hit.restricted
    )
