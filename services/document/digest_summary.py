"""Have a model say in a few sentences what a group of new documents is about.

In: numbered documents of one collection and kind, none of them restricted. Out: sentences of which each names the
documents that it rests on. It refuses a sentence without such a number, with one that there is not, and with a figure
that stands in none of the documents it names.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from db.digest_rows import DigestDocument
from db.gate import Priority
from services.model.budget import first_within, room_tokens
from services.model.client import Call, ModelClient
from services.model.endpoint import Role
from services.model.errors import ReplyMisshapen
from services.model.jsonreply import read_json
from services.model.prompt import Prompt, load_prompt
from services.model.request import ChatRequest, Message
from services.text.language import ReplyLanguage
from services.text.sentences import sentences

PROMPT = "digest"
LANGUAGES = {"ko": "Korean", "en": "English"}
MOST_SENTENCES = 5
GROUP_CHARS = 16_000
"""Text of one call, shared by its documents: about 16,000 tokens of Korean at most, which every usual server takes."""
HEAD_CHARS, LEAST_CHARS = 600, 150
"""Of one document: summary and beginning are cut at so many characters each, in a large group at less."""
MOST_DOCUMENTS = GROUP_CHARS // (2 * LEAST_CHARS)
"""More of one group are listed, and not given to the model: five sentences would not tell of them."""

_MARKER = re.compile(r"\s*\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_FIGURE = re.compile(r"\d+(?:[.:/-]\d+)*")
_DECIMAL = re.compile(r"\d+\.\d+")
_DIGITS = re.compile(r"\d+")
_STOP = re.compile(r"[.!?。]?\Z")
_LEAD = re.compile(r"^(?:[-*•#>]+|\d{1,2}[.)])\s+")


class Summary(BaseModel):
    """The reply that prompts/digest.md asks for; one text in place of a list is taken apart."""

    model_config = ConfigDict(extra="ignore")

    sentences: list[str]

    @field_validator("sentences", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        return [given[span.start : span.end] for span in sentences(given)] if isinstance(given, str) else given


@dataclass(frozen=True, slots=True)
class Told:
    """What a model said of a group; `sentences` end with their numbers."""

    sentences: tuple[str, ...]
    model: str
    prompt_version: str


Numbered = Mapping[int, DigestDocument]


async def summarise(documents: Numbered, language: ReplyLanguage, models: ModelClient, label: str) -> Told:
    """Say what documents are about; a call of the background, whoever started it (G21).

    Args:
        documents: by the numbers that the sentences shall name, the most important first.
        label: whom the gate and the log name as the caller.
    Raises:
        ModelError: the call failed, or nothing of what the model said may be told.
    """
    prompt, call = load_prompt(PROMPT), Call(Role.PRIMARY, Priority.BACKGROUND, label)
    endpoint = models.endpoint(call.role)
    room = room_tokens(endpoint, _request(prompt, (), language)) if endpoint is not None else None
    shown = first_within(written_out(documents), room)
    said = await models.chat(call, _request(prompt, shown.values(), language))
    told = tellable(read_json(said.reply.text, Summary).sentences, {n: documents[n] for n in shown})
    if not told:
        raise ReplyMisshapen(
            "No sentence of the digest names documents that bear it out.", "A larger model does.", said.reply.text
        )
    return Told(tuple(told), said.model, prompt.version)


def _request(prompt: Prompt, shown: Iterable[str], language: ReplyLanguage) -> ChatRequest:
    parts = prompt.fill(documents="\n".join(shown), language=LANGUAGES[language])
    messages = tuple(Message(who, text) for who, text in parts)
    return ChatRequest(messages, prompt.header.max_tokens, shape=Summary)


def written_out(documents: Numbered) -> dict[int, str]:
    """Write documents as the prompt shows them; no text can end its own quotation marks."""
    chosen = list(documents.items())[:MOST_DOCUMENTS]
    chars = max(LEAST_CHARS, min(HEAD_CHARS, GROUP_CHARS // (2 * max(len(chosen), 1))))
    return {n: _written(n, document, chars) for n, document in chosen}


def _written(n: int, document: DigestDocument, chars: int) -> str:
    labels = {
        "n": n,
        "title": document.title,
        "kind": document.material_type or "",
        "date": (document.published_date or document.created_at.date()).isoformat(),
    }
    head = " ".join(f'{name}="{_attribute(str(value))}"' for name, value in labels.items())
    texts = [_body(text[:chars]) for text in (document.summary, document.head) if text]
    return "\n".join([f"<document {head}>", *texts, "</document>"])


def _attribute(text: str) -> str:
    return _body(text).replace('"', "”").replace("\n", " ")


def _body(text: str) -> str:
    return text.replace("</document", "< /document").replace("<document", "< document")


def tellable(said: Sequence[str], documents: Numbered) -> list[str]:
    """Keep the sentences that may be told, each on one line with its numbers at the end, at most `MOST_SENTENCES`."""
    kept = (_kept(sentence, documents) for sentence in said)
    return [sentence for sentence in kept if sentence][:MOST_SENTENCES]


def _kept(sentence: str, documents: Numbered) -> str | None:
    sentence = _LEAD.sub("", " ".join(sentence.split()))
    numbers = [int(n) for found in _MARKER.findall(sentence) for n in _DIGITS.findall(found)]
    claim = _MARKER.sub("", sentence).strip()
    if not claim or not numbers or not all(n in documents for n in numbers):
        return None
    if not set(_figures(claim)) <= {figure for n in numbers for figure in _figures_of(documents[n])}:
        return None
    marks = "".join(f"[{n}]" for n in dict.fromkeys(numbers))
    stop = _STOP.search(claim)
    end = stop.start() if stop else len(claim)
    return f"{claim[:end].rstrip()} {marks}{claim[end:]}"


def _figures_of(document: DigestDocument) -> set[str]:
    """Give the figures that may be told of a document; of a decimal also its parts, for it may be a day: 11.21."""
    texts = [document.title, document.summary or "", document.head, str(document.published_date or "")]
    text = "\n".join([*texts, str(document.created_at.date())])
    return {*_figures(text), *(_whole(digits) for digits in _DIGITS.findall(_THOUSANDS.sub("", text)))}


def _figures(text: str) -> Iterator[str]:
    """Give the numbers of a text: 1,200 is 1200, a decimal is one, and of a date each part, however it is written."""
    for found in _FIGURE.findall(_THOUSANDS.sub("", text)):
        if _DECIMAL.fullmatch(found):
            yield found
        else:
            yield from map(_whole, _DIGITS.findall(found))


def _whole(digits: str) -> str:
    return digits.lstrip("0") or "0"
