"""A message of a chat, and the reply to it (behaviours part 10).

In: a message that came as a row of `asks` with the mode `chat`. Out: the reply. In daily mode the model of PRIMARY
talks, and its words are told while it writes; without one the built-in answerer quotes, as for any question. In deep
mode the model of DEEP decides by itself whether to search; what it gives out as taken from passages is checked as in
any answer, and told when that is done, or refused. Nothing is tried a second time: the person has seen the first try.
"""

from collections.abc import Sequence
from dataclasses import replace

from db.chat_rows import ChatTurn
from db.rows import AskQuestion
from services.answer.ask import Asking, Author, ask
from services.answer.calls import Caller
from services.answer.chat_history import remembered, said_before
from services.answer.evidence import Evidence
from services.answer.react_cards import cards
from services.answer.react_ground import asked_of, rested
from services.answer.react_loop import Loop, Opening, opening, run_on_deep
from services.answer.result import Answer, Refusal, refuse
from services.answer.synthesize import Draft
from services.answer.talk import Words, claims, unmarked
from services.kit.errors import JobError
from services.kit.log import Event, get_logger
from services.model.endpoint import Role
from services.model.errors import ModelError, ModelUnavailable
from services.model.prompt import load_prompt
from services.model.request import ChatRequest, Message

log = get_logger()

PROMPT = "chat"
UNREAD = "message_gone"


async def chat(asking: Asking, row: AskQuestion) -> tuple[Answer | Refusal, Sequence[Evidence], Author]:
    """Reply to a message; the trace then has `sources`, the evidence cards, and `grounded`.

    Raises:
        JobError: there is no reply: the code is the model's, or `deep_unavailable`.
    """
    turn = await asking.tools.db.one(ChatTurn, "chat_turn", ask_id=row.id)
    if turn is None:
        raise JobError(UNREAD, "The chat was deleted before the message was answered.", retryable=False)
    try:
        return await (_deep if turn.mode == "deep" else _daily)(asking, turn)
    except ModelError as error:
        raise JobError(error.code, str(error), retryable=False) from error


async def _daily(asking: Asking, turn: ChatTurn) -> tuple[Answer | Refusal, Sequence[Evidence], Author]:
    """Talk; who stands in for a model that is away quotes from the documents, and says so by its name."""
    if asking.models is None:
        return await _quoted(asking)
    words = Words(asking.voice)
    try:
        return await _talked(asking, turn, words)
    except ModelUnavailable as error:
        if words.told:
            raise
        log.warning(Event.MODEL_STOOD_IN, label=asking.call.label, reason=error.for_log)
        asking.trace.note(stood_in_for=str(error))
    return await _quoted(asking)


async def _quoted(asking: Asking) -> tuple[Answer | Refusal, Sequence[Evidence], Author]:
    result, evidence, author = await ask(replace(asking, models=None))
    cited = result.citations if isinstance(result, Answer) else ()
    asking.trace.note(sources=cards(evidence, cited), grounded=bool(cited))
    return result, evidence, author


async def _talked(asking: Asking, turn: ChatTurn, words: Words) -> tuple[Answer, Sequence[Evidence], Author]:
    assert asking.models is not None
    caller = Caller(asking.models, asking.call, asking.trace, asking.voice)
    call = caller.call(Role.PRIMARY, PROMPT)
    told = await _opening(asking, turn, Role.PRIMARY)
    request = ChatRequest((Message("system", told.rules), *told.talk), told.prompt.header.max_tokens)
    asking.trace.begin("answer")
    at_gate = caller.turn("answer")
    at_gate.begin()
    with asking.trace.timed("answer"):
        said = await caller.chat(PROMPT, call, told.prompt, request, at_gate, words.heard)
    talk = _talk(said.reply.text)
    words.end(talk.text)
    asking.trace.note(sources=[], grounded=False)
    return talk, (), Author(said.model, told.prompt.version)


async def _deep(asking: Asking, turn: ChatTurn) -> tuple[Answer | Refusal, Sequence[Evidence], Author]:
    told = await _opening(asking, turn, Role.DEEP)
    asking.trace.begin("retrieve")
    with asking.trace.timed("react"):
        loop = await run_on_deep(PROMPT, asking, told)
    found = loop.tool.found
    claimed = claims(loop.text, asking.question, searched=found.searches > 0)
    result = await _rested(loop, asking) if claimed else _talk(loop.text)
    cited = result.citations if isinstance(result, Answer) else ()
    # Talk is shown without the passages that were found: beside them it would look as if it had been taken from them.
    asking.trace.note(sources=cards(found.evidence, cited) if claimed else [], grounded=bool(cited))
    return result, found.evidence, Author(loop.model, told.prompt.version)


async def _rested(loop: Loop, asking: Asking) -> Answer | Refusal:
    """Hold a reply that claims to have something from the documents to the rules of any answer."""
    found = loop.tool.found
    asked = await asked_of(asking.question, asking.tools)
    if found.searches and not found.evidence:
        return refuse("evidence_missing", asked.language)
    max_chars = asking.tools.settings.answer.chat.max_chars
    return await rested(Draft(answer=loop.text), asked, found.evidence, asking, max_chars)


async def _opening(asking: Asking, turn: ChatTurn, role: Role) -> Opening:
    """Begin with the rules, what was said before as far as there is room, and the message."""
    prompt = load_prompt(PROMPT)
    alone = opening(prompt, prompt.fill(message=asking.question))
    said = await said_before(turn, asking.tools)
    endpoint = asking.tools.models.endpoint(role) if asking.tools.models is not None else None
    return replace(alone, talk=(*remembered(said, endpoint, alone.request(alone.talk, last=True)), *alone.talk))


def _talk(text: str) -> Answer:
    """Make a reply that rests on no document, and says so by what is stored with it.

    Raises:
        JobError: nothing is left of it without the numbers of passages that it does not rest on.
    """
    talk = unmarked(text)
    if not talk:
        raise JobError("parse_fail", "The model wrote no reply. Say it in other words, or use a larger model.", False)
    return Answer(talk, "insufficient", "low", ())
