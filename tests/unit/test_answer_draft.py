"""The answer while it is being written: whatever the pieces, readers get the same text."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.answer.draft import AnswerStream, Markers

KOREAN = '압력은 0.5 "MPa"입니다 [3]. \\ 다음 😀 [1, 3].\n끝 [2]'
TOLD = '압력은 0.5 "MPa"입니다 [1]. \\ 다음 😀 [2][1].\n끝 [3]'


def pieces(text: str, cuts: list[int]) -> list[str]:
    places = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    return [text[start:end] for start, end in pairwise(places)]


@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize("fence", ["{}", "```json\n{}\n```", "\n {}", "[ {}]", '{"response": {}}'])
@given(cuts=st.lists(st.integers(0, 2000), max_size=60))
def test_stream__gives_the_answer_of_json_however_it_is_cut(escaped: bool, fence: str, cuts: list[int]) -> None:
    reply = fence.replace("{}", json.dumps({"answer": KOREAN, "refused": False}, ensure_ascii=escaped))
    stream = AnswerStream()
    assert "".join(stream.feed(piece) for piece in pieces(reply, cuts)) == stream.text == TOLD


@given(cuts=st.lists(st.integers(0, 2000), max_size=30))
def test_stream__takes_plain_text_for_the_answer(cuts: list[int]) -> None:
    stream = AnswerStream()
    told = "".join(stream.feed(piece) for piece in pieces("It opens at 0.5 MPa [4], as [2] says too.", cuts))
    assert told == "It opens at 0.5 MPa [1], as [2] says too."


@given(text=st.text(max_size=80), cuts=st.lists(st.integers(0, 400), max_size=30))
def test_stream__never_takes_back_what_it_gave(text: str, cuts: list[int]) -> None:
    stream, told = AnswerStream(), ""
    for piece in pieces(json.dumps({"answer": text}), cuts):
        told += stream.feed(piece)
        assert stream.text == told


def test_stream__says_nothing_of_a_refusal() -> None:
    stream = AnswerStream()
    assert stream.feed('{"answer": "", "refused": true, "refuse_reason": "nothing there"}') == ""


def test_markers__count_by_first_use_and_remember_what_they_stand_for() -> None:
    markers = Markers()
    assert markers.renumber("a [5]. b [2, 5]. c [9]") == "a [1]. b [2][1]. c [3]"
    assert markers.order == [5, 2, 9]
