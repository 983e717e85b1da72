"""Citations as real models write them, read as [n]: in the whole answer, and while it is written."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.answer.draft import AnswerStream, Markers
from services.answer.markers import plain_markers

KNOWN = frozenset({1, 2, 3, 4, 5})
WRITTEN = [
    ("[1]", "[1]"),
    ("[1,2]", "[1][2]"),
    ("[1, 3]", "[1][3]"),
    ("[1-3]", "[1][2][3]"),
    ("[1–3]", "[1][2][3]"),
    ("[1~2]", "[1][2]"),
    ("[1-2, 5]", "[1][2][5]"),
    ("[1]-[3]", "[1][2][3]"),
    ("[1] ~ [2]", "[1][2]"),
    ("[3]-[1]", "[3][1]"),
    ("【1】", "[1]"),
    ("［1］", "[1]"),
    ("［１］", "[1]"),
    ("[１]", "[1]"),
    ("〔2〕", "[2]"),
    ("[[2]]", "[2]"),
    ("[ 1 ]", "[1]"),
    ("[01]", "[1]"),
    ("[1;2]", "[1][2]"),
    ("[1、2]", "[1][2]"),
    ("[1 and 2]", "[1][2]"),
    ("[n1]", "[1]"),
    ('[n="1"]', "[1]"),
    ("[^1]", "[1]"),
    ("[#1]", "[1]"),
    ("[근거 1]", "[1]"),
    ("[근거1, 근거3]", "[1][3]"),
    ("[근거 1번]", "[1]"),
    ("[출처 2]", "[2]"),
    ("[출처: 2]", "[2]"),
    ("[source 1]", "[1]"),
    ("[Source 1; Source 2]", "[1][2]"),
    ("[Evidence 3]", "[3]"),
    ("[1][1]", "[1]"),
    ("[1] [2] [1]", "[1][2]"),
    ("[1], [3]", "[1][3]"),
    ("[1] & [9]", "[1][9]"),
    ("[0]", "[0]"),
    ("[9]", "[9]"),
    ("(1)", "[1]"),
    ("(1, 2)", "[1][2]"),
    ("(1)(3)", "[1][3]"),
]


@pytest.mark.parametrize(("written", "read"), WRITTEN)
def test_markers__are_read_as_real_models_write_them(written: str, read: str) -> None:
    assert plain_markers(f"압력은 1.2 MPa입니다 {written}.", KNOWN) == f"압력은 1.2 MPa입니다 {read}."


@pytest.mark.parametrize(
    "text",
    [
        "It was built [2019].",
        "Values of [10-20] are allowed.",
        "Pages [1-9] say so.",
        "It costs [1,200] won.",
        "A share of [1/2] or [0.5].",
        "See [표 3] and [제2장].",
        "There are two: (1) oil, and (2) grease.",
        "(1) Oil is checked. (2) Grease is renewed.",
        "It was said (2019).",
        "It is so (7).",
        "It is so (1) and thus.",
        "It is so [1], and further (2).",
        "[그림] [x] []",
    ],
)
def test_what_is_no_marker__stays_as_it_is(text: str) -> None:
    assert plain_markers(text, KNOWN) == text


def test_markers__beyond_the_evidence_are_no_range() -> None:
    assert plain_markers("So [12]. Or [1-3].", {1, 2}) == "So [12]. Or [1-3]."


def test_markers__are_counted_by_first_use() -> None:
    markers = Markers(KNOWN)
    assert markers.renumber("a [4-5]. b【2】, [근거 5]. c [9]") == "a [1][2]. b[3][2]. c [4]"
    assert markers.order == [4, 5, 2, 9]


def pieces(text: str, cuts: list[int]) -> list[str]:
    places = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    return [text[start:end] for start, end in pairwise(places)]


@pytest.mark.parametrize("escaped", [True, False])
@given(
    parts=st.lists(
        st.sampled_from([*(written for written, _ in WRITTEN[:-3]), " 압력 ", " is. ", " - ", "\n"]), max_size=8
    ),
    cuts=st.lists(st.integers(0, 900), max_size=40),
)
def test_stream__tells_the_same_markers_however_it_is_cut(escaped: bool, parts: list[str], cuts: list[int]) -> None:
    text = "값 " + "".join(parts) + "."
    stream = AnswerStream()
    stream.cites(KNOWN)
    reply = json.dumps({"answer": text, "refused": False}, ensure_ascii=escaped)
    told = "".join(stream.feed(piece) for piece in pieces(reply, cuts))
    assert told == stream.text == Markers(KNOWN).renumber(text)


@given(cuts=st.lists(st.integers(0, 90), max_size=20))
def test_stream__of_plain_text_holds_back_only_what_may_become_a_marker(cuts: list[int]) -> None:
    text = "The valve opens [Evidence 3]-[5], as the rules [of 2019] say [2"
    stream = AnswerStream()
    stream.cites(KNOWN)
    told = "".join(stream.feed(piece) for piece in pieces(text, cuts))
    assert told.rstrip() == "The valve opens [1][2][3], as the rules [of 2019] say"
