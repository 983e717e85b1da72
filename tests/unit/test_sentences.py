"""What `services.text.sentences` promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.text.sentences import sentences

TEXTS = st.text(alphabet=st.one_of(st.sampled_from("다요. !?\n\"'”)[1]가A1,…"), st.characters()), max_size=300)


def cut(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentences(text)]


@given(TEXTS)
def test_sentences__put_every_character_in_one_span(text: str) -> None:
    held = [index for span in sentences(text) for index in range(span.start, span.end)]
    assert held == sorted(set(held))
    assert {index for index, char in enumerate(text) if not char.isspace()} <= set(held)


@given(TEXTS)
def test_sentences__are_trimmed(text: str) -> None:
    for sentence in cut(text):
        assert sentence
        assert sentence == sentence.strip()


@pytest.mark.parametrize(
    "expected",
    [
        ["He came.", "She left!", "Did they?", "No."],
        ["Dr. Smith paid $3.5 million on Jan. 5, 1999.", "He left the U.S. Army."],
        ["Use a tool, e.g. a hammer.", "It works."],
        ["See Fig. 3 and No. 4.", "He said no.", "Then he left."],
        ['"Really?" she said.', '"Yes."', "He nodded."],
        ["Yahoo! is a company.", "It was sold."],
        ["압력은 3.5이다.", "정말 그런가?", "그렇다.", "그래요.", "갈까요?"],
        ['그는 "간다."라고 말했다.', "그리고 떠났다."],
        ["2024. 3. 5. 시행한다.", "다음 해에 고쳤다."],
        ["값은 크다.[1]", "다시 잰다.[2][3]", "끝이다."],
        ["(처음이다.)", "다음이다."],
    ],
)
def test_sentences__end_at_stops_only(expected: list[str]) -> None:
    assert cut(" ".join(expected)) == expected


def test_sentences__need_no_space_after_a_korean_ending() -> None:
    assert cut("압력을 잰다.그리고 적는다.") == ["압력을 잰다.", "그리고 적는다."]


def test_sentences__end_at_blank_lines_headings_and_items() -> None:
    text = "# 제목\n1. 목적\n2. 범위는 다음과 같다:\n- 하나\n- 둘\n\n끝"
    assert cut(text) == ["# 제목", "1. 목적", "2. 범위는 다음과 같다:", "- 하나", "- 둘", "끝"]


def test_sentences__run_over_a_line_broken_at_the_margin() -> None:
    text = "이 문장은 오른쪽 끝에서 줄이 바뀌어서 다음 줄로 이어지는 문장으로서\n여기에서 끝난다.\n다음이다."
    assert cut(text) == [text.rpartition("\n")[0], "다음이다."]


def test_sentences__keep_rows_of_a_table_apart() -> None:
    rows = ["| 항목 이름이 제법 긴 첫째 줄 | 값 하나 |", "|---|---|", "| 둘째 | 값 |"]
    assert cut("\n".join(rows)) == rows


def test_sentences__open_a_new_one_at_an_article() -> None:
    text = "이 기준은 가스 시설의 안전에 필요한 사항을 정함을 목적으로 하며\n제2조(정의) 용어는 다음과 같다."
    assert len(cut(text)) == 2
