"""Rows of queries about chunks and their neighbours."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TermAround:
    """How many chunks around a chunk hold a term; term 0 stands for all of them."""

    chunk_id: int
    term: int
    chunks: int
