"""Event streams and thoughts: the same comes out, whatever pieces they come in."""

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.model.endpoint import Endpoint, Role
from services.model.errors import ReplyBroken
from services.model.reply import Reply, ReplyBuilder
from services.model.stream import Event, EventReader
from services.model.thinking import ThoughtSplitter

ENDPOINT = Endpoint(Role.PRIMARY, "http://127.0.0.1:1", None, None, 60.0, 1)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


def events_of(pieces: Iterable[bytes]) -> list[Event]:
    """Read a stream to its end."""
    reader = EventReader()
    events = [event for piece in pieces for event in reader.feed(piece)]
    return events + list(reader.close())


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """Cut bytes at the places, in whatever order and however many they are."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


STREAMS = {
    b"data: a\n\ndata: b\n\n": ["a", "b"],
    b"data:a\r\n\r\ndata: b\r\n\r\n": ["a", "b"],
    b"data: a\r\rdata: b\r\r": ["a", "b"],
    b"\xef\xbb\xbfdata: a\n\n": ["a"],
    b": note\n\ndata: a\nid: 7\nretry: 1\nother\ndata: b\n\n": ["a\nb"],
    b"data:  a\n\n": [" a"],
    b"data\n\n": [""],
    b"\n\n\ndata: a\n\n\n\n": ["a"],
    b"data: [DONE]": ["[DONE]"],
    b"event: error\ndata: a\n\n": ["a"],
    b"event: ping\n\n": [],
    "data: 가나\n\n".encode(): ["가나"],
    b"": [],
}


@pytest.mark.parametrize("stream", STREAMS, ids=repr)
def test_events__are_read_byte_by_byte_as_at_once(stream: bytes) -> None:
    assert [event.data for event in events_of([stream])] == STREAMS[stream]
    assert events_of([stream[i : i + 1] for i in range(len(stream))]) == events_of([stream])


def test_events__carry_their_kind() -> None:
    assert events_of([b"event: error\ndata: a\n\ndata: b\n\n"]) == [Event("error", "a"), Event("", "b")]


@settings(deadline=None)
@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=10))
def test_events__of_any_bytes_do_not_hang_on_the_pieces(data: bytes, places: list[int]) -> None:
    def outcome(pieces: list[bytes]) -> object:
        try:
            return events_of(pieces)
        except ReplyBroken as error:
            return str(error)

    assert outcome(cut(data, places)) == outcome([data])


@settings(deadline=None)
@given(
    st.lists(TEXTS, max_size=6),
    st.lists(TEXTS, max_size=3),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.lists(st.integers(0, 5000), max_size=20),
)
def test_reply__does_not_hang_on_the_pieces(
    texts: list[str], thoughts: list[str], line_end: str, escaped: bool, places: list[int]
) -> None:
    deltas: list[dict[str, str]] = [{"reasoning": text} for text in thoughts] + [
        {"content": text} for text in ["답:", *texts]
    ]
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, {"choices": []}]
    written = [json.dumps(chunk, ensure_ascii=escaped) for chunk in chunks] + ["[DONE]"]
    stream = "".join(f": note{line_end}data: {line}{line_end * 2}" for line in written).encode()
    assert reply_of(cut(stream, places)) == reply_of([stream])


def reply_of(pieces: list[bytes]) -> tuple[Reply, str]:
    """Build a reply, and give with it what was shown on the way."""
    builder = ReplyBuilder(ENDPOINT)
    shown = "".join(builder.take(event) for event in events_of(pieces)) + builder.close()
    reply = builder.reply()
    assert shown == reply.text
    return reply, shown


SPLITS = {
    "답": ("답", ""),
    "<think>생각</think>답": ("답", "생각"),
    "  <think>\n생각\n</think>\n\n답\n": ("답\n", "\n생각\n"),
    "<think>생각": ("", "생각"),
    "생각</think>답": ("답", "생각"),
    "생각</think>답</think>더": ("답더", "생각"),
    "<think></think>답": ("답", ""),
    "답 1 <think>생각</think> 답 2": ("답 1  답 2", "생각"),
    "[THINK]생각[/THINK]답": ("답", "생각"),
    "a < b <thi": ("a < b <thi", ""),
    "<think>a</thin</think>b": ("b", "a</thin"),
    "": ("", ""),
}


@pytest.mark.parametrize("content", SPLITS)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("hold", [False, True])
def test_thoughts__are_set_apart_in_any_pieces(content: str, size: int, hold: bool) -> None:
    text, thoughts, _ = split([content[i : i + size] for i in range(0, len(content), size)], hold)
    assert (text, thoughts) == SPLITS[content]


def split(pieces: list[str], hold: bool) -> tuple[str, str, str]:
    """Give text, thoughts and what was shown."""
    splitter = ThoughtSplitter(hold)
    shown = "".join(splitter.feed(piece) for piece in pieces) + splitter.close()
    return splitter.text, splitter.thoughts, shown


FRAGMENTS = st.sampled_from(
    ["<think>", "</think>", "[THINK]", "[/THINK]", "<", "think", ">", "/", " ", "\n", "가", "a"]
)


@settings(deadline=None)
@given(st.lists(FRAGMENTS, max_size=12), st.lists(st.integers(0, 100), max_size=8))
def test_thoughts__do_not_hang_on_the_pieces_and_are_never_shown(fragments: list[str], places: list[int]) -> None:
    content = "".join(fragments)
    edges = [0, *sorted(place % (len(content) + 1) for place in places), len(content)]
    pieces = [content[a:b] for a, b in pairwise(edges)]
    text, thoughts, shown = split(pieces, hold=True)
    assert (text, thoughts) == split([content], hold=True)[:2]
    assert shown == text
    assert "<think>" not in text
    assert "</think>" not in text


def test_thoughts__text_flows_once_nothing_can_be_ahead() -> None:
    splitter = ThoughtSplitter(hold=True)
    assert splitter.feed("생각") == ""
    assert splitter.feed("</think>답") == "답"
    assert splitter.feed(" 더") == " 더"
    parsed_by_the_server = ThoughtSplitter(hold=True)
    assert parsed_by_the_server.release() == ""
    assert parsed_by_the_server.feed("답") == "답"
