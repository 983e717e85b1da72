"""One question in several wordings: in two languages, and in other words; each searched, then one list.

In: a question, its analysis, its rewordings. Out: a plan of weighted wordings, and the merged hits. Refuses to plan
where there is nothing but the question itself: then the plain search is all there is, to the byte.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import anyio

from db.pool import Database
from services.kit.settings import SearchSettings
from services.search.analyze import Analyses, Analysis
from services.search.cache import fold
from services.search.filters import Filters
from services.search.fuse import of_best
from services.search.helpers import Helpers
from services.search.hit import Fused
from services.search.rewrite import Rewording, reword

ASKED_SHARE = 0.5
"""What a person asked weighs as much as all rewordings of it together."""
SearchOne = Callable[[str, Filters], Awaitable[Sequence[Fused]]]
"""Searches one wording by all legs, with connections of its own."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A text to be searched; `foreign` where it is not in the language of the question. Weights of a plan sum to 1."""

    text: str
    weight: float
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What is searched for a question: first as it was asked. `match_reason` names the merge with each hit."""

    wordings: tuple[Wording, ...]
    match_reason: str | None
    notes: tuple[str, ...]

    @property
    def told(self) -> list[dict[str, object]]:
        """Say what is searched, for whoever asks how the hits came about."""
        return [{"text": each.text, "weight": round(each.weight, 4)} for each in self.wordings]


def plan_for(question: str, analysis: Analysis | None, analyzed_share: float, rewording: Rewording | None) -> Plan:
    """Say what is searched for a question.

    Args:
        analysis: of an earlier search; used where it is of tier "analyzed" and has two languages (Q04).
        rewording: None where none was asked for.
    Returns:
        a plan of the question alone, without reason or note, where neither gives anything.
    """
    wordings, languages = _in_languages(question, analysis, analyzed_share)
    reasons, notes = [], []
    if languages:
        reasons.append(f"ml_{'+'.join(languages)}")
        notes.append(f"multilingual langs=[{', '.join(languages)}]")
    if rewording is not None:
        notes.append(
            f"rewrite skipped={rewording.failed}" if rewording.failed else f"rewrite n={len(rewording.variants)}"
        )
        if rewording.variants:
            wordings = _with_variants(wordings, rewording.variants)
            reasons.append("rewrite")
    return Plan(wordings, "+".join(reasons) or None, tuple(notes))


def _in_languages(
    question: str, analysis: Analysis | None, analyzed_share: float
) -> tuple[tuple[Wording, ...], tuple[str, ...]]:
    """Word a question in each language of its analysis; as it was asked, it shares the weight of its own language."""
    alone = (Wording(question, 1.0),)
    if analysis is None or analysis.tier(analyzed_share) != "analyzed" or len(analysis.queries) < 2:
        return alone, ()
    shares = [query.weight for query in analysis.queries]
    own = next((n for n, query in enumerate(analysis.queries) if query.language == analysis.language), None)
    asked = 1 / (len(shares) + 1) if own is None else shares[own] / 2
    wordings = []
    for n, query in enumerate(analysis.queries):
        if n == own and fold(query.text) == fold(question):
            asked = shares[n]
        else:
            weight = shares[n] / 2 if n == own else shares[n] if own is not None else shares[n] * (1 - asked)
            wordings.append(Wording(query.text, weight, foreign=own is not None and n != own))
    return (Wording(question, asked), *wordings), tuple(query.language for query in analysis.queries)


def _with_variants(wordings: Sequence[Wording], variants: Sequence[str]) -> tuple[Wording, ...]:
    asked = [replace(wording, weight=wording.weight * ASKED_SHARE) for wording in wordings]
    return (*asked, *(Wording(text, (1 - ASKED_SHARE) / len(variants)) for text in variants))


def narrowed(filters: Filters, types: tuple[str, ...] | None) -> Filters | None:
    """Give the filters of a wording in another language: of these material types only, None where no type is left."""
    if types is None:
        return filters
    if not filters.material_types:
        return replace(filters, material_types=types) if types else None
    left = tuple(each for each in filters.material_types if each in types)
    return replace(filters, material_types=left) if left else None


async def plan_wordings(question: str, user_id: int, db: Database, settings: SearchSettings, helpers: Helpers) -> Plan:
    """Say what is searched for a question, from what models said of it; raises nothing.

    No model is called unless somebody asked for a rewriting, which may take as long as `search.rewrite_limit_s` and
    the wait at the gate.
    """
    analysis = await Analyses(db, settings, helpers.models).of(question, user_id)
    rewording = None
    if helpers.rewrite or settings.rewrite:
        rewording = await reword(question, user_id, db, settings, helpers)
    return plan_for(question, analysis, settings.analyzed_share, rewording)


async def search_all(
    plan: Plan, search_one: SearchOne, filters: Filters, types: tuple[str, ...] | None, cap: int
) -> list[Fused]:
    """Search the wordings of a plan side by side, and merge what they find.

    Args:
        types: the material types to which other languages are narrowed (P05); None narrows nothing.
        cap: how many hits are left of all together.
    Raises:
        whatever the first search to fail raises; the others are cancelled then.
    """
    found: list[Sequence[Fused]] = [()] * len(plan.wordings)
    foreign = narrowed(filters, types)

    async def one(place: int, text: str, within: Filters) -> None:
        found[place] = await search_one(text, within)

    try:
        async with anyio.create_task_group() as tasks:
            for place, wording in enumerate(plan.wordings):
                within = foreign if wording.foreign else filters
                if within is not None:
                    tasks.start_soon(one, place, wording.text, within)
    except ExceptionGroup as group:  # callers tell errors apart by their class
        raise _first(group) from group
    return merge([(wording.weight, hits) for wording, hits in zip(plan.wordings, found, strict=True)], cap)


def _first(group: ExceptionGroup[Exception]) -> Exception:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, ExceptionGroup) else inner


def merge(found: Sequence[tuple[float, Sequence[Fused]]], cap: int) -> list[Fused]:
    """Merge the hits of several wordings by their weights: pure (Q05).

    Args:
        found: weight and hits of each wording, best first; a chunk may stand in several.
    Returns:
        each chunk once, best first, at most `cap`; a score is the sum of weight times share of the wording's best
        score, so that scales of different questions do not matter. A tie goes to the older chunk.
    """
    sums: dict[int, float] = {}
    first_seen: dict[int, Fused] = {}
    for weight, hits in found:
        for hit, share in zip(hits, of_best(hits), strict=True):
            first_seen.setdefault(hit.chunk_id, hit)
            sums[hit.chunk_id] = sums.get(hit.chunk_id, 0.0) + weight * share
    ranked = sorted(sums, key=lambda chunk_id: (-sums[chunk_id], chunk_id))
    return [replace(first_seen[chunk_id], score=sums[chunk_id]) for chunk_id in ranked[:cap]]
