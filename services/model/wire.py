"""The shapes in which OpenAI-compatible servers answer a chat call; what we do not know is passed over.

Nulls and absent fields mean the same: servers differ in which of the two they send.
"""

import json
import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

NOT_TEXT = re.compile("[\ud800-\udfff\0]")
"""Half a surrogate pair cannot be encoded, and Postgres takes no NUL."""


def _text_of(given: Any) -> str:
    """Read a text, or a list of parts as some servers send it; anything else counts as none."""
    if isinstance(given, list):
        given = "".join(part["text"] for part in given if isinstance(part, dict) and isinstance(part.get("text"), str))
    return NOT_TEXT.sub("\ufffd", given) if isinstance(given, str) else ""


def _arguments_of(given: Any) -> str:
    """Keep arguments as the text they are; some servers send them as an object."""
    return json.dumps(given, ensure_ascii=False) if isinstance(given, dict) else _text_of(given)


def _or_nothing(given: Any) -> Any:
    return [] if given is None else given


Text = Annotated[str, BeforeValidator(_text_of)]
Arguments = Annotated[str, BeforeValidator(_arguments_of)]


class Wire(BaseModel):
    """Base of all shapes; servers add fields as they like."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class FunctionPart(Wire):
    """Name and arguments of a call, or a piece of them."""

    name: Text = ""
    arguments: Arguments = ""


class ToolPart(Wire):
    """A call of a tool, or a piece of one; without an index it goes on with the last."""

    index: int | None = None
    id: Text = ""
    function: FunctionPart = FunctionPart()


class Delta(Wire):
    """What one chunk adds to the answer, or the whole message of a plain reply."""

    content: Text = ""
    reasoning: Text = ""
    reasoning_content: Text = ""
    refusal: Text = ""
    tool_calls: Annotated[list[ToolPart], BeforeValidator(_or_nothing)] = []

    @property
    def thought(self) -> str:
        """The reasoning. A server that fills both fields says the same in both (mlx_vlm)."""
        return self.reasoning_content or self.reasoning


class Choice(Wire):
    """One of the answers; we ask for one."""

    index: int | None = None
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None


class Usage(Wire):
    """Tokens as the server counted them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Chunk(Wire):
    """One event of a stream, or a plain reply; the chunk with the usage has no choices."""

    model: Text = ""
    choices: Annotated[list[Choice], BeforeValidator(_or_nothing)] = []
    usage: Usage | None = None
