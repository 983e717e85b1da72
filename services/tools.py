"""What a stage is handed: ports to the world, made once per process in services/wiring.py."""

from dataclasses import dataclass
from typing import Protocol

from db.pool import Database
from services.formats.picture import Picture, Recognised
from services.formats.sandbox import Reader
from services.kit.settings import Settings
from services.model.client import ModelClient


class Embedder(Protocol):
    """Turns texts into dense vectors. The served embedder comes with the model client; without one there is none."""

    label: str
    """Names the model; chunks carry it, and a change of it embeds every document again."""

    async def embed(self, texts: list[str]) -> list[list[float]]:
        """Give one vector per text, all of one length (n x dim)."""


class Recogniser(Protocol):
    """Makes out the text on a picture: tesseract, or a model that sees."""

    label: str
    """Names what reads; pages carry it, and a page that one could not read is tried again by another."""
    dpi: int
    max_pixels: int
    """How a page is drawn for it."""

    async def recognise(self, picture: Picture) -> Recognised:
        """Give the text. Raises Unrecognised for this picture alone, ModelUnavailable when nothing can be read now."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The ports of a stage: questions to the database, the reader of files, the settings, the door to the models.

    `models` is None where nothing of a process calls one; `embedder` where none is set; `recogniser` where
    neither a model that sees nor tesseract is there.
    """

    db: Database
    reader: Reader
    settings: Settings
    models: ModelClient | None = None
    embedder: Embedder | None = None
    recogniser: Recogniser | None = None
