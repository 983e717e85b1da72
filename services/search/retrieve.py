"""From a question to ranked hits: the legs side by side, then one list.

In: a question and filters. Out: hits, best first. Refuses a question that is too long to be one.
"""

from db.pool import Database
from services.kit.errors import RequestError
from services.kit.settings import SearchSettings
from services.search.filters import Filters
from services.search.fuse import fuse
from services.search.hit import Hit
from services.search.lexical import search_lexical
from services.text.normalise import normalise


async def search(db: Database, question: str, filters: Filters, limit: int, settings: SearchSettings) -> list[Hit]:
    """Find the chunks that answer a question best.

    Raises:
        RequestError: the question is longer than `settings.max_query_chars`.
    """
    if len(question) > settings.max_query_chars:
        raise RequestError(
            400,
            "query_too_long",
            f"A question may have {settings.max_query_chars} characters, this one has {len(question)}.",
            "Shorten it, or split it into several.",
        )
    limit = max(1, min(limit, settings.max_limit))
    lexical = await search_lexical(db, normalise(question), filters, limit, settings.candidate_rows)
    return fuse({"lexical": lexical}, {}, limit)
