"""What a chat model is asked, and the body that asks it."""

import base64
import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from services.model.endpoint import Endpoint
from services.model.reply import ToolCall


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture that goes with a message, `width` x `height` pixels."""

    png: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of the talk.

    Attributes:
        images: what the model sees beside the text; only a model that sees takes any.
        tool_calls: of the assistant: the calls that it made at this turn.
        tool_call_id: of a tool: the call that this is the result of.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    images: tuple[ImagePart, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the model may call; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A question to a chat model.

    Attributes:
        max_tokens: the reply's limit, thoughts included.
        shape: a JSON reply of this shape is wanted; read it with `jsonreply.read_json`. The prompt must say so too,
            since not every server is asked for it.
        stop: texts that end the reply.
    """

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float = 0.0
    shape: type[BaseModel] | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: Literal["auto", "none", "required"] | None = None
    stop: tuple[str, ...] = ()


def body_of(endpoint: Endpoint, request: ChatRequest) -> dict[str, Any]:
    """Write the fields that every server takes; one without a value is left out, since null is refused (mlx_lm)."""
    body: dict[str, Any] = {
        "messages": [_message(message) for message in request.messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        # Always: a server stops a stream that is left, but writes a plain reply to its end (121 s seen).
        "stream": True,
    }
    if endpoint.model is not None:
        body["model"] = endpoint.model
    if request.stop:
        body["stop"] = list(request.stop)
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
        if request.tool_choice is not None:
            body["tool_choice"] = request.tool_choice
    return body


def extras_of(endpoint: Endpoint, request: ChatRequest) -> dict[str, Any]:
    """Write the fields that some servers refuse; a call goes on without those."""
    extras: dict[str, Any] = {"stream_options": {"include_usage": True}}
    if request.shape is not None:
        if endpoint.json_mode == "json_object":
            extras["response_format"] = {"type": "json_object"}
        elif endpoint.json_mode == "json_schema":
            name = re.sub(r"[^\w-]", "_", request.shape.__name__, flags=re.ASCII)
            schema = {"name": name, "schema": request.shape.model_json_schema()}
            extras["response_format"] = {"type": "json_schema", "json_schema": schema}
        if endpoint.thinking is False:
            extras["chat_template_kwargs"] = {"enable_thinking": False}
    return extras


def _message(message: Message) -> dict[str, Any]:
    # Half a surrogate pair, as a broken file may leave it, could not be sent.
    content = message.content.encode(errors="replace").decode()
    # A text alone stays a string: not every server takes a list of parts.
    written: dict[str, Any] = {"role": message.role, "content": _parts(content, message.images) or content}
    if message.tool_calls:
        written["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        written["tool_call_id"] = message.tool_call_id
    return written


def _parts(text: str, images: tuple[ImagePart, ...]) -> list[dict[str, Any]]:
    """Write a message with pictures, the pictures first; nothing for one without."""
    addresses = [f"data:image/png;base64,{base64.b64encode(image.png).decode()}" for image in images]
    shown: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": address}} for address in addresses]
    return [*shown, {"type": "text", "text": text}] if shown else []


def _tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}
