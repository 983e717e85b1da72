"""Evidence cards: the passages that a model found by itself, in the order in which a reader meets their numbers."""

from collections.abc import Sequence
from typing import Any

from services.answer.evidence import Evidence
from services.answer.result import Citation


def cards(evidence: Sequence[Evidence], cited: Sequence[Citation]) -> list[dict[str, Any]]:
    """Give a card for each passage: those that the answer cites under their markers' numbers, then the others.

    Returns:
        `{n, document_id, chunk_id, title, page, score, cited, quote, start, end, url}`; `quote` stands on the page from
        `start` to `end`, of a passage that is not cited it is the whole of it.
    """
    known = {each.chunk_id: each for each in evidence}
    first = [_card(each.n, known[each.chunk_id], each) for each in cited if each.chunk_id in known]
    told = {each["chunk_id"] for each in first}
    others = [each for each in evidence if each.chunk_id not in told]
    after = max((each["n"] for each in first), default=0) + 1
    return [*first, *(_card(n, each, None) for n, each in enumerate(others, after))]


def _card(n: int, evidence: Evidence, cited: Citation | None) -> dict[str, Any]:
    start, quote = evidence.page_start, evidence.text
    if cited is not None:
        start, quote = cited.start, cited.quote
    end = start + len(quote)
    return {
        "n": n,
        "document_id": evidence.document_id,
        "chunk_id": evidence.chunk_id,
        "title": evidence.title,
        "page": evidence.page,
        "score": round(evidence.score, 4),
        "cited": cited is not None,
        "quote": quote,
        "start": start,
        "end": end,
        "url": f"/api/documents/{evidence.document_id}/pages/{evidence.page}?start={start}&end={end}#quote",
    }
