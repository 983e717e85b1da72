"""What a model may do by itself while it works on an answer: search, and nothing else.

In: a call of the tool as the model wrote it. Out: what it is told, and the passages found so far under numbers that
stay. It searches within the asker's filters and may only narrow them; nothing restricted is found (R06, R07), and what
a passage says is quoted to the model, never an order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.answer.evidence import Evidence, number
from services.answer.shown import within, written_out
from services.kit.chat_settings import ReactSettings
from services.kit.errors import RequestError
from services.kit.log import Event, get_logger
from services.model.budget import tokens_of
from services.model.client import Call
from services.model.errors import ReplyMisshapen
from services.model.reply import ToolCall
from services.model.request import Tool
from services.search.filters import KINDS, Filters, parse_filters
from services.search.helpers import ALONE, Helpers
from services.search.hit import Hit
from services.search.retrieve import search
from services.tools import Tools

log = get_logger()

NARROWING = ("material_type", "jurisdiction", "collection", "year", "kind")
"""Filters that the model may name; whose documents, and what may be quoted, is not its to say."""
ARGUMENTS = ("query", *NARROWING)
SEARCH = Tool(
    "search",
    "Searches the reader's own documents, Korean and English, and gives numbered passages. Ask for one thing at a "
    "time, in the words that the documents would use. Leave the other fields out unless the question names them.",
    {
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "What to look for: a short question or a few words."},
            "material_type": {"type": "string"},
            "jurisdiction": {"type": "string"},
            "collection": {"type": "string"},
            "year": {"type": "integer"},
            "kind": {"type": "string", "enum": list(KINDS), "description": "Kind of file."},
        },
        "required": ["query"],
    },
)

NO_SUCH_TOOL = "There is no such tool. The only one is search."
NO_QUERY = "The search was not carried out: `query` must be a text."
UNKNOWN = "there is no argument {}. The arguments are {}."
NO_MORE = "The search was not carried out: there are no more searches. Answer from the passages you have."
NOTHING = "Nothing was found. Other words may help."
NO_ROOM = "More was found, but there is no room to show it. Answer from the passages you have."
KNOWN = "Found again, and shown to you before: {}."
SAID_CHARS = 80
"""So much is said again of a name that nobody knows."""


@dataclass(slots=True)
class Found:
    """What the searches for one answer found: each passage once, under one number (T06)."""

    evidence: list[Evidence] = field(default_factory=list)
    searches: int = 0

    def add(self, hits: Sequence[Hit], limit: int, room: int | None = None) -> list[Evidence]:
        """Number the passages that are new, as far as they fit into `room` tokens; gives those."""
        known = {each.chunk_id for each in self.evidence}
        fresh = within(number([hit for hit in hits if hit.chunk_id not in known], limit), room)
        if known and room is not None and tokens_of(written_out(fresh)) > room:
            return []  # the first passage of all is shown in any case; a request that does not fit is refused
        fresh = [replace(each, n=n) for n, each in enumerate(fresh, len(self.evidence) + 1)]
        self.evidence += fresh
        return fresh

    def again(self, hits: Sequence[Hit], fresh: Sequence[Evidence]) -> list[int]:
        """Give the numbers of the hits that had been found before."""
        new = {each.n for each in fresh}
        chunks = {hit.chunk_id for hit in hits}
        return [each.n for each in self.evidence if each.chunk_id in chunks and each.n not in new]


@dataclass(frozen=True, slots=True)
class SearchTool:
    """Carries out the calls of one answer.

    Attributes:
        filters: of the asker.
        call: for whom; a search may ask an embedder and a reranker in the same class.
    """

    tools: Tools
    filters: Filters
    call: Call
    found: Found

    async def result(self, call: ToolCall, room: int | None) -> tuple[str, dict[str, Any]]:
        """Do what the model asks; gives what it is told, and the facts of it for the trace.

        Args:
            room: tokens that what it is told may have; None: any.
        """
        facts: dict[str, Any] = {"name": call.name, "arguments": call.arguments, "hits": []}
        if call.name != SEARCH.name:
            return NO_SUCH_TOOL, facts | {"declined": "unknown_tool"}
        if self.found.searches >= self._settings.search_exec_max:
            return NO_MORE, facts | {"declined": "no_more_searches"}
        try:
            query, filters = self._read(arguments_of(call))
        except (ReplyMisshapen, RequestError) as error:
            return f"The search was not carried out: {error}", facts | {"declined": "bad_arguments"}
        if not query:
            return NO_QUERY, facts | {"declined": "bad_arguments"}
        return await self._searched(query, filters, room, facts)

    @property
    def _settings(self) -> ReactSettings:
        return self.tools.settings.answer.react

    def _read(self, given: Mapping[str, Any]) -> tuple[str, Filters]:
        query = given.get("query")
        wished = {name: value for name, value in given.items() if name in NARROWING}
        filters = narrowed(self.filters, parse_filters(wished, self.filters.user_id)).for_evidence()
        return _plain(query) if isinstance(query, str) else "", filters

    async def _searched(
        self, query: str, filters: Filters, room: int | None, facts: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        limit, settings = self._settings.search_tool_limit, self.tools.settings.search
        self.found.searches += 1
        log.debug(Event.REACT_SEARCHED, label=self.call.label, query=query)
        try:
            hits = await search(self.tools.db, query, filters, limit, settings, self._helpers())
        except RequestError as error:
            return f"The search was not carried out: {error}", facts | {"declined": error.code}
        fresh = self.found.add(hits, limit, room)
        again = self.found.again(hits, fresh)
        told = [written_out(fresh)] if fresh else []
        told += [KNOWN.format("".join(f"[{n}]" for n in again))] if again else []
        if hits and not told:
            told = [NO_ROOM]
        return "\n".join(told) or NOTHING, facts | {"hits": [each.chunk_id for each in fresh], "again": again}

    def _helpers(self) -> Helpers:
        if self._settings.search_tool_mode == "lexical":
            return ALONE
        return Helpers(self.tools.models, self.call.priority)


def arguments_of(call: ToolCall) -> dict[str, Any]:
    """Read a call's arguments as a model means them: names in any case, one text also as a list of one.

    Returns:
        what is said, by the names of ARGUMENTS; one without a value (null, an empty text or list) says nothing and is
        left out.
    Raises:
        ReplyMisshapen: they are no JSON object.
        RequestError: a name is unknown; what it was to narrow would be left wide without a word.
    """
    said = {name.strip().lower(): value for name, value in call.read().items() if value not in (None, "", [], {})}
    if unknown := sorted(set(said) - set(ARGUMENTS)):
        named = _plain(", ".join(unknown))[:SAID_CHARS]
        raise RequestError(400, "unknown_argument", UNKNOWN.format(named, ", ".join(ARGUMENTS)))
    for name in ("query", "year"):
        if isinstance(value := said.get(name), list) and len(value) == 1:
            said[name] = value[0]
    if (kinds := said.get("kind")) is not None:
        each_kind = kinds if isinstance(kinds, list) else [kinds]
        said["kind"] = [each.strip().lower() if isinstance(each, str) else each for each in each_kind]
    return said


def narrowed(asked: Filters, wished: Filters) -> Filters:
    """Give the asker's filters, narrowed by the model's where something is in both: never more than was asked for."""
    return replace(
        asked,
        material_types=_both(asked.material_types, wished.material_types),
        jurisdictions=_both(asked.jurisdictions, wished.jurisdictions),
        collections=_both(asked.collections, wished.collections),
        kinds=_both(asked.kinds, wished.kinds),
        year=asked.year or wished.year,
    )


def _both(asked: tuple[str, ...], wished: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in wished if each in asked or not asked) or asked


def _plain(text: str) -> str:
    # JSON may carry what neither Postgres nor a socket takes.
    return text.encode(errors="replace").decode().replace("\0", " ").strip()
