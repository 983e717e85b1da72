"""What is made of a deep summary that a model wrote: pure.

In: the reply's text and what the model was shown. Out: a summary whose lengths hold and whose inconsistencies quote
the text. What is too long is cut at a word; what cannot be mended is refused, so that the model is asked again.
"""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from services.model.errors import ReplyMisshapen
from services.model.jsonreply import read_json
from services.text.slices import joined
from services.text.summary import key_points, shortened

TLDR_CHARS, BULLETS, LEAST_CHARS, MOST_CHARS = 60, 5, 30, 60
KINDS = frozenset({"version_drift", "procedure_conflict", "source_conflict", "missing_basis"})
MOST_INCONSISTENCIES = 20
LEAST_QUOTE_CHARS, MOST_QUOTE_CHARS = 6, 400
"""A shorter quote is found in any text and proves nothing; a longer one is no quote but a passage."""
NOTE_CHARS = 300
POINTS_FROM_CHARS = 60_000
"""So much of a text is looked through for its own sentences: a fraction of a second."""

_MARK = re.compile(r"\A\s*(?:[-*•·]|\d[.)])\s+")


class Deep(BaseModel):
    """The reply that prompts/deep.md asks for."""

    model_config = ConfigDict(extra="ignore")

    tldr: str
    bullets: list[str]
    inconsistencies: list[dict[str, Any]] = []

    @field_validator("tldr", mode="after")
    @classmethod
    def _one_line(cls, given: str) -> str:
        if not given.strip():
            raise ValueError("must say something")
        return shortened(given, TLDR_CHARS)

    @field_validator("bullets", mode="after")
    @classmethod
    def _five(cls, given: list[str]) -> list[str]:
        shorter = (shortened(_MARK.sub("", each), MOST_CHARS, LEAST_CHARS) for each in given)
        different = list(dict.fromkeys(each for each in shorter if each))
        if len(different) != BULLETS:
            raise ValueError(f"{BULLETS} different ones are wanted, {len(different)} came")
        return different

    @field_validator("inconsistencies", mode="before")
    @classmethod
    def _objects(cls, given: Any) -> list[Any]:
        return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def read_deep(text: str, shown: Sequence[str], last: bool) -> Deep:
    """Read a reply.

    Args:
        shown: the parts of the document that the model saw.
        last: the model is not asked again, so a point that is too short gives way to a sentence of the document.
    Raises:
        ReplyMisshapen: it is no summary, or its points are too few, too many or too short.
    """
    deep = read_json(text, Deep)
    good = [bullet for bullet in deep.bullets if len(bullet) >= LEAST_CHARS]
    if len(good) == BULLETS:
        return deep
    own = [point for point in points_of(shown) if point not in good] if last else []
    if len(good) + len(own) < BULLETS:
        raise ReplyMisshapen(
            f"{BULLETS - len(good)} points have fewer than {LEAST_CHARS} characters.",
            "A larger model counts better.",
            reply=text,
        )
    return deep.model_copy(update={"bullets": (good + own)[:BULLETS]})


def points_of(parts: Sequence[str]) -> list[str]:
    """Choose up to five sentences of the document itself, each as long as a point must be."""
    return key_points(joined(parts)[:POINTS_FROM_CHARS], BULLETS, LEAST_CHARS, MOST_CHARS)


def grounded(found: Sequence[dict[str, Any]], parts: Sequence[str]) -> tuple[dict[str, str], ...]:
    """Keep the inconsistencies of a known kind whose quote stands in the text, white space aside, as it stands there.

    Returns:
        `kind`, `quote`, `note`; none twice.
    """
    kept: dict[tuple[str, str], dict[str, str]] = {}
    for each in found[:MOST_INCONSISTENCIES]:
        kind, quote = str(each.get("kind")), quoted(str(each.get("quote") or ""), parts)
        if kind in KINDS and quote is not None:
            note = shortened(str(each.get("note") or ""), NOTE_CHARS)
            kept.setdefault((kind, quote), {"kind": kind, "quote": quote, "note": note})
    return tuple(kept.values())


def quoted(quote: str, parts: Sequence[str]) -> str | None:
    """Find a quote in one of the parts, and give it as the text has it; None where it is in none."""
    words = quote.split()
    if not LEAST_QUOTE_CHARS <= len(quote.strip()) <= MOST_QUOTE_CHARS:
        return None
    pattern = re.compile(r"\s+".join(map(re.escape, words)))
    return next((match.group() for part in parts if (match := pattern.search(part))), None)
