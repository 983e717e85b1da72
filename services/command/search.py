"""`seodang search`: from the shell what `GET /api/search` gives, in the same shape."""

import anyio
from rich.markup import escape
from rich.text import Text

from db.pool import open_pool
from services.command.place import Place
from services.command.show import out
from services.kit.settings import Settings
from services.search.asked import check_filled, check_length
from services.search.filters import Filters
from services.search.helpers import Helpers
from services.web.search import Searched
from services.web.search_wire import HitOut, SearchOut
from services.web.wire import clean
from services.wiring import open_models_if_set

SHOWN_CHARS = 300


def readable(question: str, settings: Settings) -> str:
    """Give a question as `GET /api/search` would search it.

    Raises:
        RequestError: it is empty or too long.
    """
    cleaned = clean(question)
    check_filled(cleaned)
    check_length(cleaned, settings.search.max_query_chars)
    return cleaned


def search_chunks(
    place: Place, question: str, limit: int, filters: Filters, facets: bool = False, debug: bool = False
) -> SearchOut:
    """Search as `GET /api/search` does; the question is as `readable` gives it."""

    async def run() -> SearchOut:
        settings = place.settings
        async with open_pool(place.dsn, "search", 4, searching=True) as db, open_models_if_set(settings, db) as models:
            searched = await Searched.of(db, question, filters, limit, settings.search, Helpers(models))
        return searched.shown(facets, debug)

    return anyio.run(run)


def show_found(found: SearchOut) -> None:
    """Print hits, each with its place and the words of the question in bold."""
    for rank, hit in enumerate(found.hits, start=1):
        section = f" · {escape(hit.section)}" if hit.section else ""
        version = f" ({hit.version_status})" if hit.version_status else ""
        place = f"[bold]{rank}. {escape(hit.title)}[/bold], p. {hit.page}{version}{section}"
        out.print(f"{place}  [dim]{hit.score:.2f} {escape(hit.match_reason)}[/dim]", highlight=False)
        out.print(_marked(hit), highlight=False)
    if not found.hits:
        out.print("Nothing was found.")
    for name, counts in (found.facets or {}).items():
        out.print(f"{name}: {', '.join(f'{value} {count}' for value, count in counts.items()) or '-'}", highlight=False)
    if found.debug is not None:
        out.print(found.debug)


def _marked(hit: HitOut) -> Text:
    """Give the beginning of a hit's text on one line, the words of the question in bold."""
    text = Text(hit.text)
    for start, end in hit.highlights:
        text.stylize("bold", start, end)
    one_line = Text(" ").join(text.split())
    one_line.truncate(SHOWN_CHARS, overflow="ellipsis")
    return one_line
