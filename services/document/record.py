"""What is noted about a document's summary, in `documents.ai_meta`: pure.

{"text_version": "2:48211",            which text it is about; what is noted of another text is thrown away
 "summary_by": "primary:qwen3-8b",     who wrote ai_summary: the model's label, or "rules"
 "triage": {…}, "deep": {…}}           what each model found, with `prompt_version`, `model`, `sliced` and `at`
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from db.summary_rows import DocumentToSummarise
from services.kit.outcome import Write

BY_RULES = "rules"


class Rank(IntEnum):
    """Summaries from the least to the best; a better one of the same text is not overwritten."""

    RULES = 0
    TRIAGE = 1
    DEEP = 2


def summary_write(
    document: DocumentToSummarise, rank: Rank, summary: str | None, by: str, found: Mapping[str, Any] | None = None
) -> Write:
    """Store a summary, and what its maker found besides."""
    meta: dict[str, Any] = {"text_version": document.text_version, "summary_by": by}
    if found is not None:
        meta[rank.name.lower()] = {**found, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    return Write.once(
        "save_summary",
        id=document.id,
        text_version=document.text_version,
        rank=int(rank),
        summary=summary,
        meta=meta,
    )


def again_if_newer(document: DocumentToSummarise, stage: str) -> Write:
    """Work the document again when its text is no longer the one that was worked on."""
    return Write.once(
        "summarise_again_if_newer", document_id=document.id, text_version=document.text_version, stage=stage
    )


def triaged(document: DocumentToSummarise, prompt_version: str) -> bool:
    """Say whether a model has seen this very text with this very prompt: it need not be asked again."""
    known = document.ai_meta.get("triage") or {}
    current = document.ai_meta.get("text_version") == document.text_version
    return current and known.get("prompt_version") == prompt_version


def deepened(document: DocumentToSummarise) -> bool:
    """Say whether this very text has a deep summary."""
    return document.ai_meta.get("text_version") == document.text_version and "deep" in document.ai_meta
