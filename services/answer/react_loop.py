"""The loop in which a model searches by itself: call, searches, call, until it answers or must.

In: what it is told first, and the tool. Out: what it wrote at last, and what it had found by then. Bounded by three
numbers (behaviours T03): rounds, calls, searches; the last call may use no tool and is told so. Each call takes its own
turn at the gate, and none is held while a search runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from services.answer.ask import Asking
from services.answer.calls import Caller
from services.answer.react_tools import SEARCH, Found, SearchTool
from services.kit.chat_settings import ReactSettings
from services.kit.errors import JobError
from services.kit.log import Event, get_logger
from services.kit.stage import FOREGROUND
from services.model.budget import room_tokens
from services.model.client import Call, Said
from services.model.endpoint import Role
from services.model.errors import ModelUnavailable, ReplyCut, ReplyEmpty
from services.model.prompt import Part, Prompt
from services.model.reply import Reply, ToolCall
from services.model.request import ChatRequest, Message

log = get_logger()

UNAVAILABLE = "deep_unavailable"
"""Error code of a row, and reason of a 503, where the server of DEEP does not answer a person who waits."""
NOT_SET = "Set SEODANG_MODELS__DEEP__BASE_URL, or SEODANG_MODELS__PRIMARY__BASE_URL."


@dataclass(frozen=True, slots=True)
class Opening:
    """What the model is told before it has done anything.

    Attributes:
        rules: the system message; `last_word` is added to it for the last call. It stays one message at the
            beginning: the templates of several models take no other.
        talk: what was said before, and the question.
    """

    prompt: Prompt
    rules: str
    last_word: str
    talk: tuple[Message, ...]

    def request(self, talk: Sequence[Message], last: bool) -> ChatRequest:
        """Ask with all that was said so far."""
        rules = f"{self.rules}\n\n{self.last_word}" if last else self.rules
        messages = (Message("system", rules), *talk)
        most = self.prompt.header.max_tokens
        return ChatRequest(messages, most, tools=(SEARCH,), tool_choice="none" if last else "auto")


def opening(prompt: Prompt, parts: Sequence[Part], before: Sequence[Message] = ()) -> Opening:
    """Read an opening from a prompt of three parts: rules, the word for the last call, the question."""
    (_, rules), (_, last_word), (_, question) = parts
    return Opening(prompt, rules, last_word, (*before, Message("user", question)))


@dataclass(slots=True)
class Loop:
    """One run: `text` is what the model wrote at last, "" where it wrote nothing.

    Attributes:
        name: under which its calls stand in the trace and the log.
        model: which one answered, as a stored result names it.
    """

    name: str
    caller: Caller
    call: Call
    tool: SearchTool
    limits: ReactSettings
    text: str = ""
    model: str = ""
    rounds: list[dict[str, Any]] = field(default_factory=list)

    async def run(self, opening: Opening) -> None:
        """Let the model work until it answers.

        Raises:
            ModelError: a call failed; an empty reply is none of these, it leaves `text` empty.
        """
        talk = list(opening.talk)
        for number in count(1):
            last = self._is_last(number)
            reply = await self._ask(opening.request(talk, last), opening.prompt, number, last)
            calls = () if last or reply is None else _named(reply.tool_calls, number)
            if not calls or reply is None:
                self._note(number, last, reply, ())
                self.text = "" if reply is None else reply.text.strip()
                return
            talk.append(Message("assistant", reply.text, tool_calls=calls))
            self._note(number, last, reply, [await self._follow(each, opening, talk) for each in calls])

    def _is_last(self, number: int) -> bool:
        limits = self.limits
        return (
            number >= limits.max_llm_calls
            or number > limits.max_tool_rounds
            or self.tool.found.searches >= limits.search_exec_max
        )

    async def _ask(self, request: ChatRequest, prompt: Prompt, number: int, last: bool) -> Reply | None:
        """Make a call; None where nothing came that could be used, not even a call of the tool (T07)."""
        if last:
            self.caller.trace.begin("answer")
        turn = self.caller.turn("answer" if last else "retrieve")
        turn.begin()
        try:
            said: Said[Reply] = await self.caller.chat(self.name, self.call, prompt, request, turn)
        except (ReplyEmpty, ReplyCut):
            return None
        self.model = said.model
        return said.reply

    async def _follow(self, call: ToolCall, opening: Opening, talk: list[Message]) -> dict[str, Any]:
        """Do what a call asks for and tell the model, as far as there is room; gives the facts of it."""
        endpoint = self.caller.models.endpoint(self.call.role)
        room = None if endpoint is None else room_tokens(endpoint, opening.request(talk, last=True))
        told, facts = await self.tool.result(call, room)
        talk.append(Message("tool", told, tool_call_id=call.id))
        return facts

    def _note(self, number: int, last: bool, reply: Reply | None, facts: Sequence[dict[str, Any]]) -> None:
        """Write the round down: with its words in the trace of the row, without them in the log (T08)."""
        text = reply.text if reply else ""
        self.rounds.append({"round": number, "last": last, "tool_calls": list(facts), "text": text})
        self.caller.trace.note(rounds=self.rounds, searches=self.tool.found.searches)
        log.info(
            Event.REACT_ROUND_ENDED,
            label=self.call.label,
            round=number,
            last=last,
            finish=reply.finish_reason if reply else "empty",
            tool_calls=len(facts),
            declined=[each["declined"] for each in facts if "declined" in each],
            found=sum(len(each["hits"]) for each in facts),
            searches=self.tool.found.searches,
        )


def _named(calls: Sequence[ToolCall], number: int) -> tuple[ToolCall, ...]:
    """Give each call an id of its own where the server gave none, so that its result can name it."""
    return tuple(replace(call, id=call.id or f"call_{number}_{place}") for place, call in enumerate(calls, 1))


async def run_on_deep(name: str, asking: Asking, opening: Opening) -> Loop:
    """Run the loop for an ask on the model of DEEP and on no other (T02).

    Args:
        name: of the prompt.
    Raises:
        ModelError: a call failed.
        JobError: `deep_unavailable`, where a person waits and the server is away; a row of the background is put off.
    """
    try:
        loop = _loop(name, asking)
        await loop.run(opening)
    except ModelUnavailable as error:
        if asking.call.priority != FOREGROUND:
            raise
        raise JobError(UNAVAILABLE, str(error), retryable=False) from error
    return loop


def _loop(name: str, asking: Asking) -> Loop:
    models = asking.tools.models
    endpoint = None if models is None else models.endpoint(Role.DEEP)
    if models is None or endpoint is None:
        raise ModelUnavailable("No server is set for deep.", NOT_SET)
    caller = Caller(models, asking.call, asking.trace, asking.voice)
    call = caller.call(Role.DEEP, name, fallback=False)
    tool = SearchTool(asking.tools, asking.filters, call, Found())
    return Loop(name, caller, call, tool, asking.tools.settings.answer.react, model=endpoint.label)
