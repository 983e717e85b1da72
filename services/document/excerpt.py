"""What a model is shown of a document: all of its text, or head, middle and tail, and never more than it can take.

In: a document and the endpoint that will read it. Out: the parts of its text, and the request around them. A long
text is cut inside the server, so that a book of 100 MB costs three slices here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from db.summary_rows import DocumentToSummarise, Stretch
from services.kit.document_settings import ClassifySettings
from services.model.budget import room_tokens, tokens_of
from services.model.endpoint import Endpoint
from services.model.request import ChatRequest
from services.text.chunks import Span
from services.text.language import reply_language
from services.text.slices import Sizes, fitted, joined, places
from services.tools import Tools

LANGUAGES = {"ko": "Korean", "en": "English"}
LANGUAGE_CHARS = 6_000
"""The language of a document is told by its beginning."""

Frame = Callable[["Excerpt"], ChatRequest]
"""Puts what is shown into a request."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is shown of a document.

    Attributes:
        parts: its whole text, or head, middle and tail.
        chars: length of the whole text.
    """

    parts: tuple[str, ...]
    chars: int

    @property
    def sliced(self) -> bool:
        """Whether something was left out."""
        return len(self.parts) > 1

    @property
    def quoted(self) -> str:
        """The text as a prompt shows it, which cannot end its own quotation marks."""
        return joined(self.parts).replace("</document", "< /document").replace("<document", "< document")

    @property
    def language(self) -> str:
        """The language in which the reply is wanted, as the prompts name it."""
        return LANGUAGES[reply_language(self.parts[0][:LANGUAGE_CHARS])]


def attribute(title: str) -> str:
    """Write a title so that it stays within its quotation marks."""
    return " ".join(title.replace('"', "”").replace("<", "‹").split())


def sizes_of(settings: ClassifySettings) -> Sizes:
    """Translate the settings of slices."""
    return Sizes(settings.slice_over_chars, settings.head_chars, settings.middle_chars, settings.tail_chars)


async def read_excerpt(document: DocumentToSummarise, tools: Tools, sizes: Sizes) -> Excerpt:
    """Read a document's text, of a long one its slices."""
    chars = int(await tools.db.value("chars_of_document", id=document.id) or 0)
    spans = places(chars, sizes)
    starts, lengths = [span.start for span in spans], [_length(span) for span in spans]
    parts = await tools.db.many(Stretch, "slices_of_document", id=document.id, starts=starts, lengths=lengths)
    return Excerpt(tuple(part.text for part in parts) or ("",), chars)


def _length(span: Span) -> int:
    return span.end - span.start


def request_for(endpoint: Endpoint | None, excerpt: Excerpt, sizes: Sizes, frame: Frame) -> tuple[ChatRequest, Excerpt]:
    """Make a request that the endpoint can take; gives it with what is still shown in it."""
    nothing = Excerpt(("",), excerpt.chars)
    room = room_tokens(endpoint, frame(nothing)) if endpoint is not None else None
    fits = Excerpt(fitted(excerpt.parts, sizes, tokens_of, room), excerpt.chars)
    return frame(fits), fits
