"""Texts into vectors, by a server: OpenAI's route, or the native one of Text Embeddings Inference.

In: texts. Out: one vector of unit length per text, all of one length, in the order of the texts. Refuses a reply that
leaves a text out, mixes lengths, or has a vector that points nowhere: a wrong vector in the index is worse than none.
"""

import base64
import binascii
import math
import sys
from array import array
from collections.abc import Sequence
from functools import partial
from urllib.parse import urlsplit

from pydantic import BaseModel, TypeAdapter

from services.kit.model_settings import CallSettings
from services.model.batches import Batches
from services.model.connection import Connection
from services.model.endpoint import Endpoint
from services.model.errors import ReplyMisshapen
from services.model.plain import Door, Form, ask_any, read

_spoken: dict[str, str] = {}
"""Route that each server was found to have; known for as long as the process lives."""


class _Row(BaseModel):
    index: int | None = None
    embedding: list[float] | str


class _Reply(BaseModel):
    data: list[_Row]


_native = TypeAdapter(list[list[float]])
_compatible = TypeAdapter(_Reply)


async def embed_once(connection: Connection, texts: Sequence[str]) -> list[list[float]]:
    """Embed texts with one request; the first time it may take several to find the route.

    Returns:
        len(texts) x dim, as the server gave them: not all servers give unit length.
    Raises:
        BatchTooLarge: half of them may do. ReplyMisshapen: not one sound vector per text. ModelError: see errors.py.
    """
    given = list(texts)
    # Without `encoding_format` some servers give base64, and clients took a list of floats for it.
    compatible = {"input": given, "encoding_format": "float"}
    if connection.endpoint.model is not None:
        compatible["model"] = connection.endpoint.model
    forms = (
        Form("/v1/embeddings", compatible),
        Form("/embeddings", compatible),
        Form("/embed", {"inputs": given, "normalize": True, "truncate": True}),
    )
    form, content = await ask_any(connection, forms, _spoken)
    if form.route == "/embed":
        return _sound(read(_native, content), len(given))
    return _sound(_in_order(read(_compatible, content).data, len(given)), len(given))


def _in_order(rows: list[_Row], count: int) -> list[list[float]]:
    """Put the vectors into the order of the texts; a server that names no index is taken to have kept it."""
    by_index = {place if row.index is None else row.index: row.embedding for place, row in enumerate(rows)}
    if len(rows) != count or by_index.keys() != set(range(count)):
        raise ReplyMisshapen(f"The server gave {len(rows)} vectors for {count} texts, not one for each.")
    return [_floats(by_index[place]) for place in range(count)]


def _floats(embedding: list[float] | str) -> list[float]:
    """Read a vector; text is base64 of little-endian float32, which some servers give whatever they are asked for."""
    if not isinstance(embedding, str):
        return embedding
    try:
        raw = base64.b64decode(embedding, validate=True)
        values = array("f", raw)
    except (binascii.Error, ValueError) as error:
        raise ReplyMisshapen(f"A vector came as text that is no base64 of floats: {error}.", reply=embedding) from error
    if sys.byteorder == "big":
        values.byteswap()
    return values.tolist()


def _sound(vectors: list[list[float]], count: int) -> list[list[float]]:
    if len(vectors) != count:
        raise ReplyMisshapen(f"The server gave {len(vectors)} vectors for {count} texts.")
    _check_lengths(vectors)
    for place, vector in enumerate(vectors):
        length = math.hypot(*vector)
        if not math.isfinite(length) or length == 0:
            raise ReplyMisshapen(
                f"Vector {place} of {count} is all zero, or holds what is no number.",
                "The model does not run well on this machine, often for its precision: try another one.",
            )
    return vectors


def _check_lengths(vectors: Sequence[Sequence[float]]) -> None:
    lengths = {len(vector) for vector in vectors}
    if len(lengths) > 1 or 0 in lengths:
        raise ReplyMisshapen(
            f"The server gave vectors of different lengths: {sorted(lengths)}.",
            "A quarter of the right length means that a proxy took floats for base64.",
        )


def model_name(endpoint: Endpoint) -> str:
    """Name the model whose vectors these are: where the server chooses it, by the server."""
    return endpoint.model or urlsplit(endpoint.name).netloc


class ServedEmbedder:
    """The Embedder that asks a server (services/tools.py); every request is a gated call of its own.

    Args:
        door: makes one gated call; the class and the label of the caller are bound to it.
    """

    def __init__(self, door: Door, endpoint: Endpoint, calls: CallSettings) -> None:
        self.label = model_name(endpoint)
        self.batches = Batches(calls.embed_batch)
        self._door = door

    async def embed(self, texts: list[str]) -> list[list[float]]:
        """Give one vector of unit length per text (n x dim).

        Unit length, whatever the server gives: then the inner product, the cheapest distance of pgvector, orders as
        the cosine does, and no value leaves the range in which a half-precision column is exact enough.

        Raises:
            ModelError: see services/model/errors.py.
        """
        vectors = await self.batches.each(texts, self._request)
        _check_lengths(vectors)
        return [_unit(vector) for vector in vectors]

    async def _request(self, texts: list[str]) -> list[list[float]]:
        return await self._door(partial(embed_once, texts=texts))


def _unit(vector: list[float]) -> list[float]:
    length = math.hypot(*vector)
    return [value / length for value in vector]
