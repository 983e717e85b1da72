"""Have a model write the answer from numbered evidence.

In: a question and its evidence. Out: an answer whose markers lead to quotes on the pages, or a refusal when the model
says that the evidence does not answer. What it wrote is not believed yet: services/answer/check.py comes after.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from services.answer.attribute import attribute
from services.answer.calls import Answered, Caller
from services.answer.check import claims, uncited_claims, unmarked
from services.answer.draft import Markers
from services.answer.evidence import Evidence
from services.answer.extract import quotable_spans
from services.answer.markers import plain_markers
from services.answer.missing import parts_of
from services.answer.publish import Turn
from services.answer.question import Asked
from services.answer.regate import lower
from services.answer.result import Answer, Citation, Completeness, Confidence, Refusal, refuse
from services.answer.shown import LANGUAGES, fitting, quoted, written_out
from services.model.chat import Heard
from services.model.errors import ReplyMisshapen
from services.model.jsonreply import read_json
from services.model.prompt import load_prompt
from services.model.request import ChatRequest, Message
from services.text.chunks import Span
from services.text.sentences import sentences
from services.text.terms import terms

PROMPT = "synthesize"
_CITED = re.compile(r"(?:\s*\[\d{1,3}\])+[.!?。]?")
_NUMBER = re.compile(r"\[(\d{1,3})\]")
_ECHOED = re.compile(r"</?(?:evidence|question)\b[^<>]*>")
"""The marks around what a small model was shown, which it may copy with the rest."""
_BLANK = re.compile(r"\s+")
_JSON_LIKE = re.compile(r"\s*(?:```|\{|\[\s*[\"{\[])")


class Draft(BaseModel):
    """The reply that prompts/synthesize.md asks for; what a small model leaves out has a value."""

    model_config = ConfigDict(extra="ignore")

    answer: str = ""
    used_citations: list[int] = []
    confidence: Confidence = "medium"
    refused: bool = False
    refuse_reason: str | None = None

    @field_validator("confidence", mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        return given if given in ("high", "medium", "low") else "medium"

    @field_validator("used_citations", mode="before")
    @classmethod
    def _numbers(cls, given: Any) -> Any:
        # Only told; the markers in the text are what counts.
        return [n for n in given if isinstance(n, int)] if isinstance(given, list) else []

    @field_validator("answer", mode="before")
    @classmethod
    def _text(cls, given: Any) -> Any:
        if isinstance(given, list) and all(isinstance(each, str) for each in given):
            return " ".join(given)  # sentence by sentence
        return "" if given is None else given


@dataclass(frozen=True, slots=True)
class Ground:
    """What an answer may rest on.

    Attributes:
        evidence: numbered, best first, each as much of its passage as the writer is shown.
        covered: the rules without a model would let the question be answered from it.
    """

    asked: Asked
    evidence: Sequence[Evidence]
    covered: bool


async def synthesize(
    ground: Ground, caller: Caller, max_chars: int, turn: Turn, heard: Heard | None = None
) -> Answered[Answer | Refusal]:
    """Write an answer of at most `max_chars` characters.

    Args:
        ground: what of its evidence does not fit into the model's context is left out from the end.
    Raises:
        ModelError: the call failed, or its reply cannot be read.
    """
    prompt, endpoint = load_prompt(PROMPT), caller.models.endpoint(caller.own.role)

    def filled(evidence: Sequence[Evidence]) -> ChatRequest:
        parts = prompt.fill(
            question=quoted(ground.asked.text),
            evidence=written_out(evidence),
            max_chars=max_chars,
            language=LANGUAGES[ground.asked.language],
        )
        messages = tuple(Message(who, text) for who, text in parts)
        return ChatRequest(messages, prompt.header.max_tokens, shape=Draft)

    def read(text: str) -> Answer | Refusal:
        return settled(read_draft(text), ground, max_chars)

    request = fitting(endpoint, ground.evidence, filled)
    caller.voice.cites({each.n for each in ground.evidence})
    return await caller.ask("synthesis", caller.own, prompt, request, read, turn, heard)


def read_draft(text: str) -> Draft:
    """Read the reply; a model that does not keep to JSON may have written the answer itself.

    Raises:
        ReplyMisshapen: neither is there.
    """
    try:
        draft = read_json(text, Draft)
    except ReplyMisshapen:
        if _JSON_LIKE.match(text):
            raise
        draft = Draft(answer=text)
    if not draft.answer.strip() and not draft.refused:
        raise ReplyMisshapen("The model gave no answer and did not refuse.", "It may be too small for JSON.", text)
    return draft


def settled(draft: Draft, ground: Ground, max_chars: int) -> Answer | Refusal:
    """Turn a draft into an answer with citations, or into a refusal when the model found no answer in the evidence."""
    if draft.refused:
        return refuse("evidence_weak", ground.asked.language, parts_of(ground.asked, [draft.refuse_reason or ""]))
    known = {each.n: each for each in ground.evidence}
    told = plain_markers(_ECHOED.sub("", draft.answer).strip(), known)
    traced = attribute(told, ground.evidence, ground.asked)
    markers = Markers(known.keys())
    whole = markers.renumber(traced)
    text = clip(whole, max_chars)
    numbers = dict.fromkeys(int(n) for n in _NUMBER.findall(text))
    cited = {n: markers.order[n - 1] for n in numbers if 1 <= n <= len(markers.order)}
    citations = tuple(cite(n, known[of], _claims_of(n, text)) for n, of in cited.items() if of in known)
    confidence = draft.confidence if ground.covered else "low"
    if traced != told:
        confidence = lower(confidence, "medium")
    completeness: Completeness = "partial" if uncited_claims(text) else "full"
    return Answer(text, completeness, confidence, citations, cut=_says_less(text, whole))


def clip(text: str, max_chars: int) -> str:
    """Cut a text that is too long behind its last cited claim, else its last sentence, else its last word; with an
    ellipsis that counts (Z10)."""
    if len(text) <= max_chars:
        return text
    cited = [found.end() for found in _CITED.finditer(text)]
    borders = (cited, [span.end for span in sentences(text)], [found.start() for found in _BLANK.finditer(text)])
    fitting_ends = ([end for end in ends if 0 < end < max_chars] for ends in borders)
    end = next((ends[-1] for ends in fitting_ends if ends), max_chars - 1)
    return text[:end].rstrip() + "…"


def _says_less(text: str, whole: str) -> bool:
    """Say whether a text that was cut lacks a claim: one that is said twice is lacking only where it is not said."""
    said, written = ({each.text.rstrip(".…") for each in claims(some)} for some in (text, whole))
    return text != whole and not written <= said


def cite(n: int, evidence: Evidence, words: str) -> Citation:
    """Give the citation [n] of a passage, with the sentence of it that shares most with the words."""
    span = _best_span(evidence.text, words)
    start = evidence.page_start + span.start
    quote = evidence.text[span.start : span.end]
    return Citation(
        n, evidence.document_id, evidence.chunk_id, evidence.title, evidence.page, quote, start, start + len(quote)
    )


def cited_anew(answer: Answer, passages: Sequence[Evidence]) -> Answer:
    """Give an answer that lost claims with quotes for those that are left; one that is itself in the text stays."""
    whole = {each.chunk_id: each for each in passages}
    citations = (
        each
        if each.chunk_id not in whole or " ".join(each.quote.split()) in unmarked(answer.text)
        else cite(each.n, whole[each.chunk_id], _claims_of(each.n, answer.text))
        for each in answer.citations
    )
    return replace(answer, citations=tuple(citations))


def _claims_of(n: int, text: str) -> str:
    """Give the words in front of each marker [n], back to the marker before."""
    claims, start = [], 0
    for found in _CITED.finditer(text):
        if f"[{n}]" in found.group():
            claims.append(text[start : found.start()])
        start = found.end()
    return " ".join(claims)


def _best_span(passage: str, claim: str) -> Span:
    """Find the sentence that shares most with a claim; the whole passage where none shares a word."""
    wanted = set(terms(claim))
    spans = list(quotable_spans(passage))
    shared = [len(wanted.intersection(terms(passage[span.start : span.end]))) for span in spans]
    if not any(shared):
        stripped = passage.strip()
        start = passage.find(stripped)
        return Span(start, start + len(stripped))
    return spans[shared.index(max(shared))]
