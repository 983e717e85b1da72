"""The daily digest: what came in, by collection and kind, with citations. It comes by the clock and not by a document.

In: a row of `digests`, made at the set hour by whichever daemon sees it first. Out: a document of kind `digest`, put
into the inbox like any other. It refuses restricted material, of which it says no more than how much there was; and as
a text that a model may have written it is found, but no evidence for an answer (services/answer/evidence.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import anyio

from db.digest_rows import DigestDocument, DigestRow, NewDocument
from db.jobs import Job
from services.document.digest_slot import due_slot, is_scheduled, zone_named
from services.document.digest_summary import HEAD_CHARS, Told, summarise
from services.document.digest_text import Frame, Group, file_name, grouped, language_of, write
from services.kit.log import Event, get_logger
from services.kit.outcome import Completed, Outcome, Retry, Skipped, Write
from services.kit.stage import single
from services.model.client import ModelClient
from services.model.endpoint import Role
from services.model.errors import ModelError, ModelUnavailable
from services.text.language import ReplyLanguage
from services.tools import Tools

log = get_logger()

PATIENCE_S = 2 * 3600.0
"""So long after its hour a digest waits for a model that is away; then it is made without one."""
LOOK_AGAIN_S = 60.0
"""Pause before a model that is away is asked again, where it did not say itself when."""
BUILT_IN = ("builtin:extractive", "digest_extractive-1")
"""By whom and by which rules a digest was made that no model spoke in."""


async def enqueue_due(tools: Tools) -> None:
    """Enqueue the digest whose hour has come, by the clock of the database, so that hosts need not agree on theirs."""
    if tools.settings.digest.enabled:
        await enqueue_at(tools, await tools.db.value("database_now"))


async def enqueue_at(tools: Tools, now: datetime) -> None:
    """Enqueue the digest that is due at a moment, for every user who has none for it."""
    settings = tools.settings.digest
    slot = due_slot(settings.cron, zone_named(settings.timezone), now)
    if slot is not None:
        await tools.db.none("enqueue_digests", slot=slot)


class Arrived(NamedTuple):
    """What came in: the numbers of the documents that may be told of, newest first, and of those that may not."""

    open: list[int]
    restricted: list[int]


@dataclass(frozen=True, slots=True)
class Draft:
    """A digest's groups, and by whom and by which rules they were told."""

    groups: list[Group]
    model: str
    prompt_version: str


async def make_digest(job: Job, tools: Tools) -> Outcome:
    """Make the digest of one row."""
    row = await tools.db.one(DigestRow, "digest_row", id=job.id)
    if row is None:
        return Skipped("nothing_new", "The row was removed before the digest was made.")
    arrived = await _arrived(row, tools)
    documents = await _read(arrived.open[: tools.settings.digest.documents], tools)
    if not documents:
        return _nothing(row, arrived)
    language = language_of(documents)
    try:
        draft = await _told(grouped(documents), language, row, tools)
    except ModelUnavailable as error:
        after_s = min(error.after_s or LOOK_AGAIN_S, PATIENCE_S - row.age_s)
        return Retry(error.code, str(error), after_s=after_s, counted=False)
    return _made(row, arrived, await _still_open(draft, tools), language, tools)


run = single(make_digest)


async def _arrived(row: DigestRow, tools: Tools) -> Arrived:
    asked = {"user_id": row.user_id, "reach": row.reach, "slot": row.slot}
    found = await tools.db.many(NewDocument, "undigested_documents", **asked)
    return Arrived([new.id for new in found if not new.restricted], [new.id for new in found if new.restricted])


async def _read(ids: Sequence[int], tools: Tools) -> list[DigestDocument]:
    return await tools.db.many(DigestDocument, "documents_to_digest", ids=list(ids), chars=HEAD_CHARS)


def _nothing(row: DigestRow, arrived: Arrived) -> Outcome:
    restricted = len(arrived.restricted)
    more = f" Restricted and not summarised: {restricted}." if restricted else ""
    note = Write.once("note_empty_digest", id=row.id, since=row.since, restricted=restricted)
    return Skipped("nothing_new", f"No document came in that a digest could tell of.{more}", (note,))


async def _told(groups: list[Group], language: ReplyLanguage, row: DigestRow, tools: Tools) -> Draft:
    """Have a model tell of each group, within the digest's time; what it did not tell of speaks for itself.

    Raises:
        ModelUnavailable: the model is away, and the digest can wait.
    """
    told: dict[int, Told] = {}
    models = _writer(tools)
    if models is not None:
        label, limit_s = f"digest {row.id}", tools.settings.digest.hard_limit_s
        with anyio.move_on_after(limit_s) as limit:
            await _tell_all(groups, language, models, label, row.age_s < PATIENCE_S, told)
        if limit.cancelled_caught:
            log.warning(Event.MODEL_STOOD_IN, label=label, reason=f"digest.hard_limit_s: {limit_s:g} s have passed")
    said = [replace(group, sentences=told[n].sentences) if n in told else group for n, group in enumerate(groups)]
    model, version = next(((each.model, each.prompt_version) for each in told.values()), BUILT_IN)
    return Draft(said, model, version)


def _writer(tools: Tools) -> ModelClient | None:
    served = tools.models is not None and tools.models.endpoint(Role.PRIMARY) is not None
    return tools.models if served else None


async def _tell_all(
    groups: Sequence[Group],
    language: ReplyLanguage,
    models: ModelClient,
    label: str,
    patient: bool,
    told: dict[int, Told],
) -> None:
    """Fill `told` by the group's place, one call after the other: a background that leaves the model free between."""
    for n, group in enumerate(groups):
        try:
            told[n] = await summarise(group.documents, language, models, label)
        except ModelError as error:
            away = isinstance(error, ModelUnavailable)
            if away and patient:
                raise
            log.warning(Event.MODEL_STOOD_IN, label=label, reason=f"{type(error).__name__}: {error.for_log}")
            if away:
                return


async def _still_open(draft: Draft, tools: Tools) -> Draft:
    """Leave out what was deleted or became restricted while the model wrote, and all that was said of its group."""
    ids = [document.id for group in draft.groups for document in group.documents.values()]
    still = {row.id for row in await tools.db.many(NewDocument, "quotable_documents", ids=ids)}
    return replace(draft, groups=[kept for group in draft.groups if (kept := _kept(group, still)).documents])


def _kept(group: Group, still: set[int]) -> Group:
    left = {n: document for n, document in group.documents.items() if document.id in still}
    return group if len(left) == len(group.documents) else replace(group, documents=left, sentences=())


def _made(row: DigestRow, arrived: Arrived, draft: Draft, language: ReplyLanguage, tools: Tools) -> Outcome:
    listed = sum(len(group.documents) for group in draft.groups)
    if not listed:
        return _nothing(row, arrived)
    settings = tools.settings.digest
    zone = zone_named(settings.timezone)
    more = max(len(arrived.open) - settings.documents, 0)
    frame = Frame(
        since=row.since,
        slot=row.slot,
        zone=zone,
        language=language,
        scheduled=is_scheduled(settings.cron, zone, row.slot),
        documents=listed + more,
        restricted=len(arrived.restricted),
        more=more,
    )
    saved = Write.once(
        "save_digest",
        id=row.id,
        filename=file_name(frame),
        content=write(frame, draft.groups).encode(),
        collection=settings.collection,
        since=row.since,
        told=[*arrived.open, *arrived.restricted],
        documents=frame.documents,
        restricted=frame.restricted,
        prompt_version=draft.prompt_version,
        model=draft.model,
    )
    return Completed((saved,))
