"""The analysis of questions: made by a model in the background, used by a later search for the same.

In: a question that was searched, as a row of `query_analyses`. Out: an entry of the cache: its language, how it would
be searched in Korean and in English, and how sure the model is. No search ever waits for one: it looks for an earlier
one, and leaves its question here where there is none. Refuses queries with figures that the question does not have.
"""

import math
import re
from dataclasses import asdict, dataclass
from typing import Any, Literal

import anyio
from pydantic import BaseModel, ConfigDict, field_validator

from db.analysis_rows import QuestionToAnalyze
from db.errors import DatabaseError
from db.gate import Priority
from db.jobs import Job
from db.pool import Database
from services.kit.outcome import NOTHING_MORE, Completed, Outcome, Skipped, Write
from services.kit.settings import SearchSettings
from services.kit.stage import single
from services.model.client import Call, ModelClient
from services.model.endpoint import Role
from services.model.errors import ModelTimeout
from services.model.jsonreply import read_json
from services.model.prompt import load_prompt
from services.model.request import ChatRequest, Message
from services.search.cache import LOOK_UP_S, Author, Front, QuestionCache, fold, front_of, key_of, values_of
from services.text.language import detect
from services.text.normalise import normalise
from services.tools import Tools

PROMPT = "analyze"
KIND = "analysis"
LANGUAGES = ("ko", "en")
Tier = Literal["analyzed", "tentative"]
MOST_KEYWORDS = 6
MOST_CHARS = 4000
"""The rule query_analyses_question_length."""

_FIGURE = re.compile(r"\d+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_LONG = 3
"""Digits from which a figure must be in the question: 12월 may become December, a year may not come from nowhere."""


class Analyzed(BaseModel):
    """The reply that prompts/analyze.md asks for; what a small model leaves out or makes up is none."""

    model_config = ConfigDict(extra="ignore")

    language: str = ""
    queries: list[dict[str, Any]]
    keywords: list[str] = []
    confidence: float = 0.0

    @field_validator("language", mode="before")
    @classmethod
    def _word(cls, given: Any) -> Any:
        return given.strip().lower() if isinstance(given, str) else ""

    @field_validator("queries", mode="before")
    @classmethod
    def _objects(cls, given: Any) -> Any:
        return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else given

    @field_validator("keywords", mode="before")
    @classmethod
    def _words(cls, given: Any) -> Any:
        return [each for each in given if isinstance(each, str)] if isinstance(given, list) else []

    @field_validator("confidence", mode="before")
    @classmethod
    def _share(cls, given: Any) -> float:
        # 85 may mean 0.85, and may not: what is out of bounds is no confidence.
        share = _number(given)
        return share if share <= 1 else 0.0


@dataclass(frozen=True, slots=True)
class Query:
    """How a question is searched in one language; the weights of an analysis add up to 1."""

    language: str
    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a model said of a question; `queries` has each language once at the most."""

    language: str
    queries: tuple[Query, ...]
    keywords: tuple[str, ...]
    confidence: float

    def tier(self, analyzed_share: float) -> Tier:
        """Say whether the model is sure enough for the analysis to be used (Q03)."""
        return "analyzed" if self.confidence >= analyzed_share else "tentative"


def believed(said: Analyzed, question: str) -> Analysis:
    """Keep what can be used of a reply: one query per language that we know, weights that add up to 1.

    Without any weight the queries share alike.
    """
    texts: dict[str, tuple[str, float]] = {}
    for given in said.queries:
        language, text = given.get("language"), given.get("text")
        if language in LANGUAGES and language not in texts and isinstance(text, str):
            text = " ".join(normalise(text).split())
            if 0 < len(text) <= MOST_CHARS and not invented(text, question):
                texts[language] = (text, _number(given.get("weight")))
    total = sum(weight for _, weight in texts.values())
    queries = tuple(
        Query(language, text, weight / total if total else 1 / len(texts))
        for language, (text, weight) in sorted(texts.items(), key=lambda item: LANGUAGES.index(item[0]))
    )
    language = said.language if said.language in (*LANGUAGES, "mixed") else detect(question)
    return Analysis(language, queries, tuple(said.keywords[:MOST_KEYWORDS]), said.confidence)


def invented(text: str, question: str) -> bool:
    """Say whether a text has a long figure that is not in the question."""
    return not set(_figures(text)) <= set(_figures(question))


def _figures(text: str) -> list[str]:
    return [figure for figure in _FIGURE.findall(_THOUSANDS.sub("", text)) if len(figure) >= _LONG]


def _number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return 0.0
    try:
        number = float(given)
    except (ValueError, OverflowError):
        return 0.0
    return number if math.isfinite(number) and number > 0 else 0.0


def analysis_of(reply: dict[str, Any]) -> Analysis:
    """Read an analysis as it was kept."""
    queries = tuple(Query(**query) for query in reply["queries"])
    return Analysis(reply["language"], queries, tuple(reply["keywords"]), reply["confidence"])


def author_of(models: ModelClient | None, settings: SearchSettings) -> Author | None:
    """Say by whom and by which prompt questions are analysed; None where nobody does."""
    endpoint = models.endpoint(Role.ANALYZER) if models is not None and settings.analyze else None
    return None if endpoint is None else Author(endpoint.label, load_prompt(PROMPT).version)


class Analyses:
    """The way of a search to the analyses of earlier ones."""

    def __init__(
        self, db: Database, settings: SearchSettings, models: ModelClient | None, front: Front | None = None
    ) -> None:
        self._db, self._settings = db, settings
        self._author = author_of(models, settings)
        self._cache: QuestionCache | None = None
        if models is not None and self._author is not None:
            self._cache = QuestionCache(db, KIND, settings, front_of(models, settings) if front is None else front)

    async def of(self, question: str, user_id: int) -> Analysis | None:
        """Give the analysis of a question that was asked before; where there is none, leave the question here.

        It calls no model, raises nothing, and takes milliseconds. Where no analyser is set it asks nobody.
        """
        folded = fold(question)
        if self._cache is None or self._author is None or not 0 < len(folded) <= MOST_CHARS:
            return None
        reply = await self._cache.get(key_of(KIND, user_id, folded, self._author))
        if reply is not None:
            return analysis_of(reply)
        await self._leave(folded, user_id)
        return None

    async def _leave(self, folded: str, user_id: int) -> None:
        settings = self._settings
        waiting, pause_s = settings.analyses_waiting, settings.analyze_again_s
        asked = {"user_id": user_id, "question": folded, "most_waiting": waiting, "pause_s": pause_s}
        with anyio.move_on_after(LOOK_UP_S):
            try:
                await self._db.none("enqueue_analysis", **asked)
            except DatabaseError:
                return


async def analyze_question(job: Job, tools: Tools) -> Outcome:
    """Analyse the question of one row; over its limit it is left alone, and asked again when somebody searches it."""
    row = await tools.db.one(QuestionToAnalyze, "question_to_analyze", id=job.id)
    settings = tools.settings.search
    author = author_of(tools.models, settings)
    if row is None:
        return Skipped("question_gone", "The row was removed before the question was analysed.")
    if author is None or tools.models is None:
        return Skipped("no_analyzer", "No model analyses questions: see search.analyze and models.analyzer.")
    if row.age_s > settings.cache_ttl_s:
        return Skipped("outdated", "The question has waited for longer than an analysis lives.")
    folded = fold(row.question)
    if await tools.db.value("reply_is_cached", key=key_of(KIND, row.user_id, folded, author)):
        return NOTHING_MORE
    limit_s = settings.analyze_limit_s
    call = Call(Role.ANALYZER, Priority.BACKGROUND, f"analyze question:{job.id}", fallback=False, limit_s=limit_s)
    try:
        analysis = await analyze(folded, tools.models, call)
    except ModelTimeout as error:
        trimmed = Write.once("trim_analyzed", most=settings.cache_rows)
        return Skipped(error.code, str(error), (trimmed,))
    kept = values_of(KIND, row.user_id, folded, author, asdict(analysis), settings)
    return Completed((Write.once("save_reply", **kept), Write.once("trim_analyzed", most=settings.cache_rows)))


run = single(analyze_question)


async def analyze(question: str, models: ModelClient, call: Call) -> Analysis:
    """Ask a model about a question.

    Raises:
        ModelError: the call failed, or its reply cannot be read.
    """
    prompt = load_prompt(PROMPT)
    messages = tuple(Message(who, text) for who, text in prompt.fill(question=quoted(question)))
    said = await models.chat(call, ChatRequest(messages, prompt.header.max_tokens, shape=Analyzed))
    return believed(read_json(said.reply.text, Analyzed), question)


def quoted(question: str) -> str:
    """Write a question so that it cannot end its own quotation marks."""
    return question.replace("</question", "< /question").replace("<question", "< question")


async def enqueue_frequent(tools: Tools) -> None:
    """Enqueue what is asked most often and has expired, so that the next who asks finds it (P05)."""
    settings = tools.settings.search
    author = author_of(tools.models, settings)
    if author is not None and settings.prewarmed:
        await tools.db.none(
            "enqueue_frequent",
            most=settings.prewarmed,
            model=author.model,
            prompt_version=author.prompt_version,
            ttl_s=settings.cache_ttl_s,
        )
