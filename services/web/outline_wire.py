"""The shapes of replies about sections; see wire.py."""

from pydantic import BaseModel


class SectionOut(BaseModel):
    """A section: `level` 1 is the highest, `chunk_id` gives its text at /api/chunks/{chunk_id}/context."""

    chunk_id: int
    level: int
    title: str
    path: str
    page: int
    end_page: int
    url: str


class OutlineOut(BaseModel):
    """The sections of a document in reading order; empty where it has none, or is not in the corpus yet."""

    document_id: int
    title: str
    url: str
    sections: list[SectionOut]


class PassageOut(BaseModel):
    """A part of a page: its text from `start` to `end`; `url` opens it there."""

    page: int
    start: int
    end: int
    text: str
    url: str


class ContextOut(BaseModel):
    """What stands around a chunk: its section's headings in `path` ("" outside of any), and its text."""

    chunk_id: int
    document_id: int
    title: str
    path: str
    passages: list[PassageOut]
    whole: bool
