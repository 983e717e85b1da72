"""What is told of hits beside their text: why they were found, where they stand, which version of a law they are.

In: ranked hits. Out: the same hits in the same order, each with what is known of it. It ranks and drops nothing.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from db.pool import Database
from services.search.highlight import mark, sought
from services.search.hit import Hit
from services.search.versions import law_statuses

FACETS = ("material_type", "jurisdiction", "version_status")
LEGS = {"lexical": "lex", "chunk": "vec", "chunks": "vec", "document": "doc", "documents": "doc"}
"""Short names of the legs, as match_reason has them."""
_ARTICLE = re.compile(r"\d+[조항호](?:의\d+)?")
_NUMBER = re.compile(r"\d[\d.]*")
MAX_NUMBERS = 3
"""Exact numbers that one reason names."""


@dataclass(frozen=True, slots=True)
class Decorated:
    """A hit and what is told of it.

    Attributes:
        version_status: of a law current, superseded or future; None where that is not known, and for what is no law.
        match_reason: the legs that found it ("lex+vec"), and which article of a law or number of the question it has.
        highlights: places of the question's terms in the hit's text, in characters.
    """

    hit: Hit
    version_status: str | None
    match_reason: str
    highlights: tuple[tuple[int, int], ...]


async def decorate(
    db: Database, question: str, hits: Sequence[Hit], merged: str | None = None, now: datetime | None = None
) -> list[Decorated]:
    """Tell of hits what is known of them, with one query, where a law is among them.

    Args:
        merged: how the wordings of a question were merged (`ml_ko+en`), where there were several.
        now: the moment whose day counts for the versions of laws; None for now.
    """
    versions = await law_statuses(db, hits, now)
    wanted = sought(question)
    marked = [mark(wanted, hit.text) for hit in hits]
    return [
        Decorated(
            hit=hit,
            version_status=versions.get(hit.document_id),
            match_reason=reason(hit, found.terms, merged),
            highlights=tuple(found.spans),
        )
        for hit, found in zip(hits, marked, strict=True)
    ]


def reason(hit: Hit, has: Iterable[str], merged: str | None = None) -> str:
    """Say why a hit was found: legs, the merge of wordings, exact references and numbers; of each only what is so.

    Args:
        has: the terms of the question that are in the hit's text.
    """
    legs = dict.fromkeys(LEGS.get(leg, leg) for leg in hit.legs)
    said = ["+".join(legs), merged or ""]
    exact = sorted(term for term in has if term[0].isdigit())
    articles = [term for term in exact if _ARTICLE.fullmatch(term)]
    numbers = [term for term in exact if _NUMBER.fullmatch(term) and not any(a.startswith(term) for a in articles)]
    said += [f"article {term}" for term in articles[-1:]]
    said += [f"number {term}" for term in numbers[:MAX_NUMBERS]]
    return ", ".join(part for part in said if part)


def count_facets(decorated: Sequence[Decorated]) -> dict[str, dict[str, int]]:
    """Count hits by material type, jurisdiction and version; what is not known is not counted."""
    return {field: dict(Counter(value for each in decorated if (value := _value(each, field)))) for field in FACETS}


def _value(each: Decorated, field: str) -> str | None:
    value: str | None = each.version_status if field == "version_status" else getattr(each.hit, field)
    return value
