"""How common a question's words are around a passage: what tells the passages of one document apart.

In: a question and its evidence. Out: for each passage, in how many chunks of its neighbourhood each term stands. Within
an article its topic is in every chunk; a word that is rare there says more than one that is rare in the corpus.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db.chunk_rows import TermAround
from db.pool import Database
from services.answer.evidence import Evidence
from services.answer.question import Asked
from services.text.terms import term_id, terms

REACH = 100
"""Chunks before and behind a passage that are its neighbourhood; articles as in docs/refusing.md have 20 to 75."""
ALL_AROUND = 0
"""The term under which the neighbourhood's chunks themselves are counted."""


@dataclass(frozen=True, slots=True)
class Around:
    """The neighbourhood of a passage, itself included: chunks in all, and chunks by the term that they hold."""

    chunks: int
    holding: Mapping[str, int]

    def rarity(self, term: str) -> float:
        """Weigh a term by its rarity here: ln(1 + (n - df + 0.5) / (df + 0.5))."""
        held = self.holding.get(term, 0)
        return math.log1p((max(self.chunks, held) - held + 0.5) / (held + 0.5))


Neighbourhoods = Mapping[int, Around]
"""By id of the chunk in their middle."""


async def around(db: Database, asked: Asked, evidence: Sequence[Evidence]) -> Neighbourhoods:
    """Count a question's terms around each passage of the evidence; a passage that is gone by now has no count."""
    ids = {term: term_id(term) for term in asked.weights}
    chunk_ids = [each.chunk_id for each in evidence]
    rows = await db.many(TermAround, "terms_around", chunk_ids=chunk_ids, terms=list(ids.values()), reach=REACH)
    counts: dict[int, dict[int, int]] = defaultdict(dict)
    for row in rows:
        counts[row.chunk_id][row.term] = row.chunks
    return {
        chunk_id: Around(counted[ALL_AROUND], {term: counted.get(ident, 0) for term, ident in ids.items()})
        for chunk_id, counted in counts.items()
    }


def among(evidence: Sequence[Evidence]) -> Neighbourhoods:
    """Take the evidence itself for all there is of each document."""
    texts = {each.chunk_id: set(terms(f"{each.title} {each.text}")) for each in evidence}
    by_document: dict[int, list[int]] = defaultdict(list)
    for each in evidence:
        by_document[each.document_id].append(each.chunk_id)
    found: dict[int, Around] = {}
    for chunk_ids in by_document.values():
        counted = Counter(term for chunk_id in chunk_ids for term in texts[chunk_id])
        found.update((chunk_id, Around(len(chunk_ids), counted)) for chunk_id in chunk_ids)
    return found
