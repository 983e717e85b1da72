"""The bodies of the scripted model server: event streams, plain answers, vectors and scores."""

import json
import math
import re
import zlib
from collections.abc import Iterator
from typing import Any

from tests.fakes.model_script import Say, last_of, text_of

DEFAULT_TEXT = "네, 알겠습니다."
CREATED = 1_700_000_000


def answer_text(say: Say, body: dict[str, Any]) -> str:
    """Give the answer with its marks filled in."""
    text = DEFAULT_TEXT if say.text is None and not say.tools else say.text or ""
    last = last_of(body)
    text = text.replace("<<last>>", last).replace("<<model>>", str(body.get("model", "")))
    found = re.search(say.pick, last) if say.pick else None
    for number, group in enumerate((found.group(0), *found.groups()) if found else ()):
        text = text.replace(f"<<{number}>>", group or "")
    return text


def _cut(text: str, chars: int) -> Iterator[str]:
    return (text[start : start + chars] for start in range(0, len(text), chars))


def _deltas(say: Say, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    text = answer_text(say, body)
    if say.reasoning and say.reasoning_as in {"think", "unclosed", "headless"}:
        opening, closing = say.reasoning_as != "headless", say.reasoning_as != "unclosed"
        text = f"{'<think>' * opening}{say.reasoning}{'</think>' * closing}{text if closing else ''}"
    elif say.reasoning:
        names = ("reasoning", "reasoning_content") if say.reasoning_as == "both" else (say.reasoning_as,)
        for piece in _cut(say.reasoning, say.piece_chars):
            yield dict.fromkeys(names, piece)
    for piece in _cut(text, say.piece_chars):
        yield {"content": piece}
    for index, call in enumerate(say.tools):
        yield from _tool_deltas(index, call, say)


def _arguments(call: dict[str, Any]) -> str:
    given = call.get("arguments", {})
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


def _tool_deltas(index: int, call: dict[str, Any], say: Say) -> Iterator[dict[str, Any]]:
    head = {"index": index, "id": call.get("id", f"call_{index}"), "type": "function"}
    arguments = _arguments(call)
    if say.tools_whole:
        yield {"tool_calls": [head | {"function": {"name": call["name"], "arguments": arguments}}]}
        return
    yield {"tool_calls": [head | {"function": {"name": call["name"], "arguments": ""}}]}
    for piece in _cut(arguments, say.piece_chars):
        yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def finish_of(say: Say) -> str | None:
    """Give the finish_reason."""
    return ("tool_calls" if say.tools else "stop") if say.finish == "" else say.finish


def usage_of(say: Say, body: dict[str, Any]) -> dict[str, int]:
    """Count a token for every `piece_chars` characters."""
    prompt, reply = len(text_of(body)) // say.piece_chars, sum(1 for _ in _deltas(say, body))
    return {"prompt_tokens": prompt, "completion_tokens": reply, "total_tokens": prompt + reply}


def _chunk(body: dict[str, Any], choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": CREATED}
    return head | {"model": body.get("model", "scripted"), "choices": choices} | more


def chunks(say: Say, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the chunks that carry the answer, one a piece."""
    for delta in _deltas(say, body):
        yield _chunk(body, [{"index": 0, "delta": delta, "finish_reason": None}])


def last_chunks(say: Say, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the chunk that ends the answer, and the one with the usage where it was asked for."""
    if (finish := finish_of(say)) is not None:
        yield _chunk(body, [{"index": 0, "delta": {}, "finish_reason": finish}])
    if say.usage and (body.get("stream_options") or {}).get("include_usage"):
        yield _chunk(body, [], usage=usage_of(say, body))


def event(data: Any, say: Say) -> bytes:
    """Write one event."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=say.escaped)
    return f"data: {text}{say.newline * 2}".encode()


def whole_answer(say: Say, body: dict[str, Any]) -> dict[str, Any]:
    """Give an answer to a request that asked for no stream."""
    message: dict[str, Any] = {"role": "assistant", "content": None}
    for delta in _deltas(say, body):
        for name in delta.keys() - {"tool_calls"}:
            message[name] = (message.get(name) or "") + delta[name]
    if say.tools:
        message["tool_calls"] = [
            {"id": f"call_{i}", "type": "function", "function": {"name": call["name"], "arguments": _arguments(call)}}
            for i, call in enumerate(say.tools)
        ]
    choices = [{"index": 0, "message": message, "finish_reason": finish_of(say)}]
    return _chunk(body, choices, object="chat.completion", usage=usage_of(say, body))


def vector(text: str, dim: int) -> list[float]:
    """Hash runs of one to three characters into a vector of unit length: texts that share them lie near each other."""
    bare = "".join(text.lower().split())
    values = [0.0] * dim
    for size in (1, 2, 3):
        for start in range(len(bare) - size + 1):
            code = zlib.crc32(bare[start : start + size].encode())
            values[code % dim] += 1.0 if code & 0x10000 else -1.0
    length = math.sqrt(sum(value * value for value in values))
    return [value / length for value in values] if length else [1.0] + [0.0] * (dim - 1)


def embeddings(say: Say, body: dict[str, Any]) -> dict[str, Any]:
    """Give a vector for each text of `input`."""
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    rows = [
        {"object": "embedding", "index": index, "embedding": _spoilt(vector(text, say.dim), index, say)}
        for index, text in enumerate(texts)
    ]
    if say.vectors == "reversed":
        rows.reverse()
    if say.vectors == "missing":
        rows.pop()
    usage = {"prompt_tokens": sum(map(len, texts)), "total_tokens": sum(map(len, texts))}
    return {"object": "list", "model": body.get("model", "scripted"), "data": rows, "usage": usage}


def _spoilt(values: list[float], index: int, say: Say) -> list[float]:
    if say.vectors == "short" and index:
        return values[: len(values) // 4]
    return [math.nan, *values[1:]] if say.vectors == "nan" else values


def rerank(say: Say, body: dict[str, Any]) -> dict[str, Any] | list[dict[str, Any]]:
    """Score texts by their nearness to the query, best first, in the form of TEI or of Jina."""
    texts: list[str] = body.get("texts") or body.get("documents") or []
    query = vector(body.get("query", ""), 512)
    near = [sum(a * b for a, b in zip(query, vector(text, 512), strict=True)) for text in texts]
    order = sorted(range(len(texts)), key=lambda index: -near[index])[: body.get("top_n") or None]
    tei = (say.form or ("tei" if "texts" in body else "jina")) == "tei"
    rows = [{"index": index, "score" if tei else "relevance_score": round(near[index], 6)} for index in order]
    match say.scores:
        case "nan":
            rows[0][next(name for name in rows[0] if name != "index")] = math.nan
        case "missing":
            rows.pop()
        case "twice":
            rows.append(rows[0])
        case "outside":
            rows[0]["index"] = len(texts)
    return rows if tei else {"model": body.get("model", "scripted"), "results": rows}
