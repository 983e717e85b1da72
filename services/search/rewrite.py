"""A question in other words, by a model, for a person who asked for a thorough search.

In: a question. Out: up to `search.rewrite_variants` rewordings, kept for the next who asks; or none, and a word why. It
never ends a search: without a reply in time the question is searched as it was asked. Refuses rewordings with figures
that the question does not have.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from db.pool import Database
from services.kit.settings import SearchSettings
from services.model.client import Call, ModelClient
from services.model.endpoint import Role
from services.model.errors import ModelError
from services.model.jsonreply import read_json
from services.model.prompt import load_prompt
from services.model.request import ChatRequest, Message
from services.search.analyze import invented, quoted
from services.search.cache import Author, Front, QuestionCache, fold, front_of, key_of
from services.search.helpers import Helpers
from services.text.language import reply_language
from services.text.normalise import normalise

PROMPT = "rewrite"
KIND = "rewrite"
LANGUAGES = {"ko": "Korean", "en": "English"}
MOST_CHARS = 400
"""A longer rewording is no line of twenty words, but a model that has begun to answer."""


class Rewritten(BaseModel):
    """The reply that prompts/rewrite.md asks for."""

    model_config = ConfigDict(extra="ignore")

    variants: list[str]

    @field_validator("variants", mode="before")
    @classmethod
    def _texts(cls, given: Any) -> Any:
        return [each for each in given if isinstance(each, str)] if isinstance(given, list) else given


@dataclass(frozen=True, slots=True)
class Rewording:
    """Rewordings of a question; where there are none because something went wrong, `failed` is its code."""

    variants: tuple[str, ...] = ()
    failed: str | None = None


def usable(variants: Iterable[str], question: str, most: int) -> tuple[str, ...]:
    """Keep the first `most` rewordings that say something else than the question and each other, and invent nothing."""
    seen, kept = {fold(question).casefold()}, []
    for variant in variants:
        text = " ".join(normalise(variant).split())
        folded = fold(text).casefold()
        if folded and folded not in seen and len(text) <= MOST_CHARS and not invented(text, question):
            seen.add(folded)
            kept.append(text)
    return tuple(kept[:most])


async def reword(
    question: str, user_id: int, db: Database, settings: SearchSettings, helpers: Helpers, front: Front | None = None
) -> Rewording:
    """Give a question in other words, from the cache where somebody asked for it lately; raises nothing.

    The call's class is that of whoever waits for the search, `helpers.priority`.
    """
    models, folded = helpers.models, fold(question)
    endpoint = None if models is None else models.endpoint(Role.ANALYZER)
    if models is None or endpoint is None:
        return Rewording(failed="no_analyzer")
    if not folded:
        return Rewording()
    author, most = Author(endpoint.label, load_prompt(PROMPT).version), settings.rewrite_variants
    cache = QuestionCache(db, KIND, settings, front_of(models, settings) if front is None else front)
    kept = await cache.get(key_of(KIND, user_id, folded, author))
    if kept is not None:
        return Rewording(tuple(kept["variants"][:most]))
    call = Call(Role.ANALYZER, helpers.priority, "rewrite", fallback=False, limit_s=settings.rewrite_limit_s)
    try:
        variants = await _asked(folded, most, models, call)
    except ModelError as error:
        return Rewording(failed=error.code)
    await cache.put(user_id, folded, author, {"variants": list(variants)})
    return Rewording(variants)


async def _asked(question: str, most: int, models: ModelClient, call: Call) -> tuple[str, ...]:
    prompt = load_prompt(PROMPT)
    language = LANGUAGES[reply_language(question)]
    parts = prompt.fill(question=quoted(question), most=most, language=language)
    messages = tuple(Message(who, text) for who, text in parts)
    said = await models.chat(call, ChatRequest(messages, prompt.header.max_tokens, shape=Rewritten))
    return usable(read_json(said.reply.text, Rewritten).variants, question, most)
