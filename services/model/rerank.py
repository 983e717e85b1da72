"""A second opinion on the order of texts, by a cross-encoder on a server.

In: a question and texts. Out: one score per text, in the order of the texts, higher is better. Scores compare within
one model only: servers give a softmax, a sigmoid or the raw number. Speaks the forms of Jina/Cohere (infinity,
llama.cpp, vLLM, mlx_vlm, LocalAI) and of Text Embeddings Inference.
"""

import math
from collections.abc import Sequence
from functools import partial

from pydantic import AliasChoices, BaseModel, Field, TypeAdapter

from services.kit.model_settings import CallSettings
from services.model.batches import Batches
from services.model.connection import Connection
from services.model.errors import ReplyMisshapen
from services.model.plain import Door, Form, ask_any, read

_spoken: dict[str, str] = {}
"""Form that each server was found to speak; known for as long as the process lives."""


class _Row(BaseModel):
    index: int
    score: float = Field(validation_alias=AliasChoices("relevance_score", "score"))


class _Reply(BaseModel):
    rows: list[_Row] = Field(validation_alias=AliasChoices("results", "data"))


_reply: TypeAdapter[list[_Row] | _Reply] = TypeAdapter(list[_Row] | _Reply)


async def rerank_once(connection: Connection, query: str, texts: Sequence[str]) -> list[float]:
    """Score texts with one request; the first time it may take several to find the form.

    Returns:
        a score per text, in the order of the texts.
    Raises:
        BatchTooLarge: half of them may do. ReplyMisshapen: a text has no score, or one that is no number.
        ModelError: see errors.py.
    """
    given = list(texts)
    jina: dict[str, object] = {"query": query, "documents": given, "top_n": len(given), "return_documents": False}
    if connection.endpoint.model is not None:
        jina["model"] = connection.endpoint.model
    tei = {"query": query, "texts": given, "raw_scores": False, "truncate": True}
    forms = (Form("/v1/rerank", jina), Form("/rerank", jina), Form("/rerank", tei, "tei"))
    _, content = await ask_any(connection, forms, _spoken)
    reply = read(_reply, content)
    return _scores(reply.rows if isinstance(reply, _Reply) else reply, len(given))


def _scores(rows: list[_Row], count: int) -> list[float]:
    """Map by index; of an index that comes twice the first counts, one out of range is left aside.

    All were asked for (`top_n`), so a text without a score is a defect and not a low rank: a guess in its place
    would drop a good passage without a word, while the caller has an order of its own to fall back on.
    """
    scores: dict[int, float] = {}
    for row in rows:
        if 0 <= row.index < count:
            scores.setdefault(row.index, row.score)
    if len(scores) != count:
        raise ReplyMisshapen(f"The server scored {len(scores)} of {count} texts.")
    if not all(map(math.isfinite, scores.values())):
        raise ReplyMisshapen(
            "A score is no number.", "The model does not run well on this machine, often for its precision."
        )
    return [scores[place] for place in range(count)]


class ServedReranker:
    """Scores texts by requests of which each is a gated call of its own.

    Args:
        door: makes one gated call; the class and the label of the caller are bound to it.
    """

    def __init__(self, door: Door, calls: CallSettings) -> None:
        self.batches = Batches(calls.rerank_batch)
        self._door = door

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Give a score per text, in their order; they compare across requests, since one model gave them all.

        Raises:
            ModelError: see services/model/errors.py.
        """
        return await self.batches.each(texts, partial(self._request, query))

    async def _request(self, query: str, texts: list[str]) -> list[float]:
        return await self._door(partial(rerank_once, query=query, texts=texts))
