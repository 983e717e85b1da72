"""Which vectors a search may use: those of the one embedder that serves."""

from db.pool import Database
from db.vector_rows import EmbedderRow


async def serving_embedder(db: Database) -> EmbedderRow | None:
    """Give the generation of vectors that serves, None before there is any.

    After a change of the embedder it is still the former one, until the new one has done the corpus: a question must
    be embedded by the model that `label` names, and compares with vectors of that generation only (view
    `corpus_vectors`, `embedder` = its id).
    """
    return await db.one(EmbedderRow, "serving_embedder")
