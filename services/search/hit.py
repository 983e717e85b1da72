"""A chunk that a search found: while legs are ranked and fused its number and score, then all that is shown of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from db.pool import Database
from db.search_rows import HitRow


@dataclass(frozen=True, slots=True)
class Ranked:
    """A chunk in the list of a leg; `score` compares within a query."""

    chunk_id: int
    score: float


@dataclass(frozen=True, slots=True)
class Fused:
    """A chunk in the list of all legs; `legs` says what each added to the score: it is told, and not compared."""

    chunk_id: int
    score: float
    legs: Mapping[str, float] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Hit:
    """A ranked chunk with what is shown of it: `text` stands on the page from character `start` to `end`.

    `score` and `legs` are as those of Fused; `section` has the headings above it, outermost first, "" outside of any.
    """

    chunk_id: int
    document_id: int
    title: str
    page: int
    start: int
    end: int
    text: str
    score: float
    material_type: str | None
    jurisdiction: str | None
    published_date: date | None
    restricted: bool
    legs: Mapping[str, float] = field(default_factory=dict, compare=False)
    section: str = ""


async def read_hits(db: Database, ranked: Sequence[Ranked | Fused], user_id: int) -> list[Hit]:
    """Read what is shown of chunks, in their order, without those whose document went meanwhile or is another's."""
    if not ranked:
        return []
    rows = await db.many(HitRow, "hits_of", chunk_ids=[each.chunk_id for each in ranked], user_id=user_id)
    found = {row.chunk_id: row for row in rows}
    return [_hit(found[each.chunk_id], each) for each in ranked if each.chunk_id in found]


def _hit(row: HitRow, ranked: Ranked | Fused) -> Hit:
    return Hit(
        chunk_id=row.chunk_id,
        document_id=row.document_id,
        title=row.title,
        page=row.page_number,
        start=row.start_char,
        end=row.end_char,
        text=row.text,
        score=ranked.score,
        material_type=row.material_type,
        jurisdiction=row.jurisdiction,
        published_date=row.published_date,
        restricted=row.restricted,
        legs=ranked.legs if isinstance(ranked, Fused) else {},
        section=row.section,
    )
