"""What the scripted model server says: rules, read from JSON, the first that fits is followed.

    {"when": {"role": "primary", "text": "휴가"}, "say": {"text": "15일입니다.", "token_s": 0.02}, "times": 1}
    {"when": {"has": "response_format"}, "say": {"status": 400, "body": {"error": "'type' must be 'text'"}}}

A rule without `when` fits every call; a rule with `times` is used up after so many.
"""

import json
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["chat", "embeddings", "rerank", "models", "health"]


class Part(BaseModel):
    """A piece of a script; a misspelt word is refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class When(Part):
    """Which calls a rule is for: all that is named must hold."""

    kind: Kind | None = None
    path: str | None = None
    role: str | None = Field(None, description="The header X-Seodang-Role; `*` and `?` stand for anything.")
    klass: str | None = Field(None, alias="class", description="The header X-Seodang-Class, likewise.")
    label: str | None = Field(None, description="The header X-Seodang-Label, likewise.")
    model: str | None = Field(None, description="The request's `model`, likewise.")
    text: str | None = Field(None, description="Somewhere in the prompt, the input or the query.")
    has: str | None = Field(None, description="The request has this field.")
    lacks: str | None = Field(None, description="The request has not this field.")
    tool_choice: str | None = Field(None, description="The request's `tool_choice`: auto, none or required.")


class Say(Part):
    """What is answered, and how well. Times are seconds; counts of pieces begin at the answer's first chunk."""

    text: str | None = Field(
        None, description="<<last>>: the last message; <<1>>: first group of `pick`; <<model>>: the model asked for."
    )
    pick: str | None = Field(None, description="A regular expression over the last message, for <<0>>, <<1>> ….")
    piece_chars: int = Field(4, ge=1, description="Characters of one chunk; a stand-in for a token.")
    reasoning: str = ""
    reasoning_as: Literal["reasoning", "reasoning_content", "both", "think", "unclosed", "headless"] = "reasoning"
    tools: list[dict[str, Any]] = Field([], description='[{"name": …, "arguments": {…} or "text as it is"}]')
    tools_whole: bool = Field(False, description="Each call in one chunk, as mlx_lm does.")
    finish: str | None = Field("", description="finish_reason; empty: stop or tool_calls; null: never sent.")
    done: bool = Field(True, description="False leaves `data: [DONE]` out.")
    usage: bool = Field(True, description="Count tokens where the request asks for it.")
    hold: str | None = Field(None, description="Nothing is answered until POST /_release names this word.")
    delay_s: float = Field(0.0, description="Before the status line.")
    first_s: float = Field(0.0, description="After the status line, before the first chunk.")
    token_s: float = Field(0.0, description="Before each further chunk.")
    comments: int = Field(0, description="So many `: keepalive` lines first.")
    newline: Literal["\n", "\r\n", "\r"] = "\n"
    escaped: bool = Field(False, description=r"Korean as \uXXXX, as mlx_lm sends it.")
    plain: bool = Field(False, description="One JSON body, though a stream was asked for.")
    http10: bool = Field(False, description="No length and no chunks: the end of the connection ends the reply.")
    status: int = 200
    headers: dict[str, str] = {}
    body: Any = Field(None, description="Instead of an answer: JSON, or a text sent as it is.")
    raw: str | None = Field(None, description="An event stream as it stands, with 200; bytes over 127 as latin-1.")
    error: Any = Field(None, description="An `error` object in the stream, after `after` pieces.")
    end: Literal["whole", "close", "reset", "hang"] = Field(
        "whole", description="How the connection ends after `after` pieces; `hang` waits for the client to leave."
    )
    after: int = Field(0, ge=0, description="Pieces before `end` or `error`; 0 with `end`: not even a status line.")
    dim: int = Field(64, description="Length of a vector.")
    limit: int | None = Field(None, description="More texts than this are refused with `status` (413 if it is 200).")
    vectors: Literal["good", "short", "nan", "missing", "reversed"] = "good"
    scores: Literal["good", "nan", "missing", "twice", "outside"] = "good"
    form: Literal["jina", "tei"] | None = Field(None, description="Form of a rerank answer; None: as the request.")


class Rule(Part):
    """One line of a script."""

    when: When = When()
    say: Say = Say()
    times: int | None = None


class Script(Part):
    """All that a server is told."""

    rules: list[Rule] = []
    models: list[str] = ["scripted"]
    strict: bool = Field(False, description="An unknown `model` is answered with 404, as mlx_lm does.")

    def choose(self, kind: str, path: str, headers: dict[str, str], body: dict[str, Any]) -> Say:
        """Give what the first rule that fits says, and count its use."""
        for rule in self.rules:
            if rule.times != 0 and _fits(rule.when, kind, path, headers, body):
                rule.times = rule.times - 1 if rule.times else rule.times
                return rule.say
        if self.strict and body.get("model") not in {None, *self.models}:
            return Say(status=404, body={"error": f"Repository Not Found for model {body.get('model')}"})
        return Say()


def _fits(when: When, kind: str, path: str, headers: dict[str, str], body: dict[str, Any]) -> bool:
    named = (
        (when.role, headers.get("x-seodang-role", "")),
        (when.klass, headers.get("x-seodang-class", "")),
        (when.label, headers.get("x-seodang-label", "")),
        (when.model, str(body.get("model", ""))),
    )
    return (
        when.kind in {None, kind}
        and when.path in {None, path}
        and all(pattern is None or fnmatchcase(value, pattern) for pattern, value in named)
        and (when.text is None or when.text in text_of(body))
        and (when.has is None or when.has in body)
        and (when.lacks is None or when.lacks not in body)
        and when.tool_choice in {None, body.get("tool_choice")}
    )


def text_of(body: dict[str, Any]) -> str:
    """Give all text of a request in one."""
    messages = [str(message.get("content")) for message in body.get("messages", [])]
    others = [
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name in ("input", "query", "documents", "texts")
        if (value := body.get(name)) is not None
    ]
    return "\n".join(messages + others)


def last_of(body: dict[str, Any]) -> str:
    """Give the last message's text."""
    return str(body["messages"][-1].get("content") or "") if body.get("messages") else ""
