"""The note of a topic: what the documents tied to it say, the learner's mistakes first, each sentence cited.

In: a row of `study_topic_jobs`. Out: the note with its citations, by whom and of what it was made. It refuses sentences
without a passage, and figures that their passages do not have; without a model the documents' own sentences are chosen.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict

from db.gate import Priority
from db.jobs import Job
from db.study_note_rows import Missed, NoteToMake, StudySource
from services.kit.outcome import Completed, Failed, Outcome, Retry, Skipped, Write
from services.kit.settle import outcome_of
from services.kit.stage import FOREGROUND, single
from services.model.budget import first_within, room_tokens
from services.model.client import Call, ModelClient
from services.model.endpoint import Role
from services.model.errors import ModelError, ReplyMisshapen
from services.model.jsonreply import read_json
from services.model.prompt import load_prompt
from services.model.request import ChatRequest, Message
from services.study.cited import Citation, Claim, Line, Passage, bound, faults, plain, read_lines
from services.study.note_sources import (
    LANGUAGES,
    Sources,
    attribute,
    gather,
    misquoted,
    written_misses,
    written_out,
)
from services.text.outline import SEPARATOR
from services.text.summary import key_points, shortened
from services.text.terms import terms
from services.tools import Tools

PROMPT = "note"
BUILT_IN = ("builtin:extractive", "note_extractive-1")
"""By whom and by which rules a note was made that no model spoke in."""
MISSED = 12
"""Questions that went wrong of which a note is told."""
POINTS, LEAST_POINT_CHARS, MOST_POINT_CHARS = 3, 20, 200
"""Of each document so many sentences of such a length speak for it, where no model does."""
PARTS_CHARS = 160
AGAIN_TEMPERATURE = 0.3
"""A reply that could not be used comes again at zero; at the second try another one is wanted."""
WORDS = {
    "en": {"missed": "Not known yet", "answer": "answer", "parts": "Parts"},
    "ko": {"missed": "아직 모르는 문제", "answer": "정답", "parts": "구성"},
}


class Note(BaseModel):
    """The reply that prompts/note.md asks for."""

    model_config = ConfigDict(extra="ignore")

    note: str


@dataclass(frozen=True, slots=True)
class Written:
    """A note as it is stored; `dropped` counts the sentences that were not borne out."""

    text: str
    citations: tuple[Citation, ...]
    model: str
    prompt_version: str
    dropped: int = 0


async def make_note(job: Job, tools: Tools) -> Outcome:
    """Make the note of one topic."""
    topic = await tools.db.one(NoteToMake, "note_to_make", job_id=job.id)
    if topic is None or topic.deleted:
        return Skipped("evidence_missing", "The topic was deleted before its note was made.")
    missed = await tools.db.many(Missed, "study_misses", topic_id=topic.id, most=MISSED)
    sources = await gather([topic.id], missed, tools)
    if not sources.passages:
        message = "No document of this topic can be quoted: tie one that has been read and is not restricted."
        return Skipped("evidence_missing", message, (Write.once("skip_study_note", topic_id=topic.id),))
    try:
        written = await _written(job, topic, sources, tools)
    except ModelError as error:
        return outcome_of(error)
    if not written.citations:
        return _refused(written)
    if wrong := await misquoted(written.citations, tools):
        return Retry("guard_fail", f"Quotes no longer stand on their pages: {', '.join(wrong)}.")
    return _saved(topic, written)


run = single(make_note)


def _refused(written: Written) -> Outcome:
    if written.model == BUILT_IN[0]:
        return Failed("guard_fail", "No sentence of this topic's documents can be quoted: they hold no running text.")
    return Retry("guard_fail", f"No sentence of the note is borne out by a passage; {written.dropped} were dropped.")


def _saved(topic: NoteToMake, written: Written) -> Completed:
    saved = Write.once(
        "save_study_note",
        topic_id=topic.id,
        note=written.text,
        citations=[each.as_json() for each in written.citations],
        model=written.model,
        prompt_version=written.prompt_version,
        sources=topic.sources,
    )
    return Completed((saved,), payload={"note_chars": len(written.text), "sentences_dropped": written.dropped})


async def _written(job: Job, topic: NoteToMake, sources: Sources, tools: Tools) -> Written:
    """Have the model write, or where none is set choose sentences.

    Raises:
        ModelError: the call failed, or its reply cannot be read.
    """
    most = tools.settings.study.note_chars
    if tools.models is None or tools.models.endpoint(Role.PRIMARY) is None:
        text, citations = bound(list(extracted(sources, most)), sources.passages, most)
        return Written(text, citations, *BUILT_IN)
    return await _by_model(job, topic, sources, tools.models, most)


async def _by_model(job: Job, topic: NoteToMake, sources: Sources, models: ModelClient, most: int) -> Written:
    # A person waits for what is most urgent, and for nothing else here.
    priority = Priority.FOREGROUND if job.urgency == FOREGROUND else Priority.BACKGROUND
    call = Call(Role.PRIMARY, priority, f"note topic:{topic.id}")
    temperature = AGAIN_TEMPERATURE if job.attempts > 1 else 0.0
    endpoint = models.endpoint(call.role)
    nothing = _request(topic, sources, (), most)
    room = room_tokens(endpoint, nothing) if endpoint is not None else None
    shown = first_within(written_out(sources.passages.values()), room)
    request = replace(_request(topic, sources, shown.values(), most), temperature=temperature)
    said = await models.chat(call, request)
    note = read_json(said.reply.text, Note).note
    lines = read_lines(note)
    if not lines:
        raise ReplyMisshapen("The note is empty.", "A larger model writes one.", said.reply.text)
    kept, dropped = borne_out(lines, {n: sources.passages[n] for n in shown})
    text, citations = bound(kept, sources.passages, most)
    return Written(text, citations, said.model, load_prompt(PROMPT).version, dropped)


def _request(topic: NoteToMake, sources: Sources, shown: Iterable[str], max_chars: int) -> ChatRequest:
    prompt = load_prompt(PROMPT)
    parts = prompt.fill(
        topic=attribute(f"{topic.name}. {topic.description}" if topic.description else topic.name),
        outlines="\n".join(map(_outline, sources.documents)),
        passages="\n".join(shown),
        missed=written_misses(sources.missed),
        max_chars=max_chars,
        language=LANGUAGES[sources.language()],
    )
    messages = tuple(Message(who, text) for who, text in parts)
    return ChatRequest(messages, prompt.header.max_tokens, shape=Note)


def _outline(document: StudySource) -> str:
    parts = [attribute(document.title), *(f"  - {attribute(path)}" for path in document.headings)]
    return "\n".join([*parts, *([f"  {attribute(document.summary)}"] if document.summary else [])])


def borne_out(lines: Iterable[Line], passages: Mapping[int, Passage]) -> tuple[list[Line], int]:
    """Keep headings, and the sentences that passages bear out; gives how many sentences were dropped."""
    kept: list[Line] = []
    dropped = 0
    for line in lines:
        held = tuple(each for each in line.claims if line.is_heading or (each.cites and not faults(each, passages)))
        dropped += len(line.claims) - len(held)
        if held:
            kept.append(replace(line, claims=held))
    return kept, dropped


def extracted(sources: Sources, max_chars: int) -> Iterator[Line]:
    """Write a note without a model: what is not known, in a third of the room, then every document's best sentences."""
    words = WORDS[sources.language()]
    if sources.missed:
        yield Line("## ", (Claim(words["missed"], ()),))
        yield from _missed(sources.missed, words["answer"], max_chars // 3)
    points = max(1, min(POINTS, max_chars // (MOST_POINT_CHARS * max(len(sources.documents), 1))))
    for document in sources.documents:
        yield Line("## ", (Claim(plain(document.title), ()),))
        names = [plain(path.rsplit(SEPARATOR, 1)[-1]) for path in document.headings]
        if names:
            yield Line("", (Claim(shortened(f"{words['parts']}: {', '.join(names)}", PARTS_CHARS), ()),))
        yield from _points(sources.of(document), points)


def _missed(missed: Iterable[Missed], answer: str, room_chars: int) -> Iterator[Line]:
    for each in missed:
        said = shortened(f"{plain(each.text)} — {answer}: {plain(each.answer)}", MOST_POINT_CHARS)
        room_chars -= len(said)
        if room_chars < 0:
            return
        yield Line("- ", (Claim(said, ()),))


def _points(passages: Sequence[Passage], most: int) -> Iterator[Line]:
    """Choose a document's best sentences, each with the passage that it was taken from."""
    text = "\n\n".join(each.text for each in passages)
    for point in key_points(text, most, LEAST_POINT_CHARS, MOST_POINT_CHARS):
        wanted = set(terms(point))
        of = max(passages, key=lambda each: len(wanted.intersection(terms(each.text))))
        yield Line("- ", (Claim(plain(point), (of.n,)),))
