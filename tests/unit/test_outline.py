"""Sections by headings: what counts as one, what does not, and how they nest."""

import time

import pytest

from services.text.outline import Mark, marks_of, sections_of, settled

LAW = """도시가스 점검 규칙

제1편 총론
제1장 총칙
제1조(목적) 이 규칙은 점검의 방법을 정함을 목적으로 한다.
제2조 (정의) ① 이 규칙에서 쓰는 말의 뜻은 다음과 같다.
제2장 점검
제1절 정기 점검
제3조(주기)
① 점검은 매년 한다.
제3조의2(기록) 기록은 3년간 보관한다.
제4조 삭제 <2010. 1. 1.>
부 칙 <제12호, 2020. 1. 1.>
제1조(시행일) 이 규칙은 공포한 날부터 시행한다.
[별표 1] 점검표(제3조 관련)
"""


def titles(text: str, *, markdown: bool = False) -> list[str]:
    return [mark.title for mark in marks_of(1, text, markdown=markdown)]


def tree(text: str, *, markdown: bool = False) -> list[tuple[int, str]]:
    sections = sections_of(marks_of(1, text, markdown=markdown), [(1, len(text))])
    return [(section.level, section.path[-1]) for section in sections]


def test_law__nests_by_its_parts_and_articles() -> None:
    assert tree(LAW) == [
        (1, "제1편 총론"),
        (2, "제1장 총칙"),
        (3, "제1조(목적)"),
        (3, "제2조(정의)"),
        (2, "제2장 점검"),
        (3, "제1절 정기 점검"),
        (4, "제3조(주기)"),
        (4, "제3조의2(기록)"),
        (4, "제4조 삭제"),
        (1, "부칙 <제12호, 2020. 1. 1.>"),
        (2, "제1조(시행일)"),
        (1, "별표 1 점검표(제3조 관련)"),
    ]


def test_law__gives_the_span_of_each_section() -> None:
    sections = sections_of(marks_of(1, LAW), [(1, len(LAW))])
    article = next(section for section in sections if section.path[-1] == "제3조(주기)")
    assert LAW[article.start : article.end] == "제3조(주기)\n① 점검은 매년 한다.\n"
    assert article.path == ("제1편 총론", "제2장 점검", "제1절 정기 점검", "제3조(주기)")
    assert (sections[-1].end_page, sections[-1].end) == (1, len(LAW))


@pytest.mark.parametrize(
    "line",
    [
        "제5조(점검)에 따라 점검한다.",
        "제5조(점검) 및 제6조(기록)에 따라",
        "제5조(점검) 제1항에 따라",
        "제5조(점검)\n에 따라 점검한다.",
        "「고압가스 안전관리법」\n제5조(점검)",
        "제5조 제2항에 따라",
        "제5조에서 정한다.",
        "그 밖에 제5조(점검)",
        "제2장에서 정한 바에 따른다",
        "제2장 및 제3장",
        "제1장 총칙 ........ 3",
        "제1장 총칙 …… 3",
        "제1장은 총칙이다.",
        "제1장 이 규정은 총칙을 정한다.",
        "별표 1에 따른 기준",
        "별표 1 및 별표 2",
        "부칙에 따라",
        "제1회의실(본관)",
        "1. 점검",
        "점검",
        "CHAPTER ONE",
    ],
)
def test_running_text__is_no_heading(line: str) -> None:
    assert titles(f"앞 문장이다.\n{line}\n뒤 문장이다.") == []


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("제12조의3(안전 관리자의 선임) 사업자는", "제12조의3(안전 관리자의 선임)"),
        ("제5조【점검】 을은", "제5조(점검)"),
        ("  제5조(점검)① 을은", "제5조(점검)"),
        ("제5조(점검)\n이 조에서", "제5조(점검)"),
        ("제5조(점검)\n제6조(기록)", "제5조(점검)"),
        ("제일장 총칙", "제일장 총칙"),
        ("제3장의2 안전  점검", "제3장의2 안전 점검"),
        ("제1장", "제1장"),
        ("부칙", "부칙"),
        ("부   칙(2020. 1. 1.)", "부칙(2020. 1. 1.)"),
        ("별표 2", "별표 2"),
        ("■ 점검 규칙 [별표 1의2] <개정 2020. 1. 1.>", "별표 1의2 <개정 2020. 1. 1.>"),
    ],
)
def test_lines_of_laws__are_headings(line: str, title: str) -> None:
    assert titles(f"앞 문장이다.\n{line}\n뒤 문장이다.")[0] == title


def test_text__that_quotes_an_article_or_two_is_no_law() -> None:
    text = "보고서\n\n제1조(목적) 이 법은\n\n제2조(정의) 이 법에서\n\n결론이다."
    assert len(marks_of(1, text)) == 2
    assert tree(text) == []


def test_markdown__gives_headings_outside_of_fences() -> None:
    text = "# 지침 #\n\n## **1. 개요**\n\n#태그\n\n```sh\n# comment\n```\n\n   ### C#\n\n##   \n\n~~~\n# open"
    assert tree(text, markdown=True) == [(1, "지침"), (2, "1. 개요"), (3, "C#")]
    assert titles(text) == []
    assert titles(f"# {'x' * 201}", markdown=True) == []


def test_markdown__nests_what_skips_a_level() -> None:
    assert tree("### a\n# b\n### c\n## d\n# e", markdown=True) == [(1, "a"), (1, "b"), (2, "c"), (2, "d"), (1, "e")]


def test_law_in_markdown__stands_below_its_headings() -> None:
    text = "# 규칙\n\n## 제1장 총칙\n\n제1조(목적) 가\n\n제2조(정의) 나\n\n## 제2장 점검\n\n제3조(주기) 다\n"
    assert tree(text, markdown=True) == [
        (1, "규칙"),
        (2, "제1장 총칙"),
        (3, "제1조(목적)"),
        (3, "제2조(정의)"),
        (2, "제2장 점검"),
        (3, "제3조(주기)"),
    ]


def test_told_headings__are_taken_as_the_format_gives_them() -> None:
    marks = marks_of(3, "one two three", [(4, 2, " Two\n words "), (0, 1, "One"), (999, 9, "End"), (5, 1, " ")])
    assert marks == [Mark(3, 0, 1, "One"), Mark(3, 4, 2, "Two words"), Mark(3, 13, 6, "End")]


def test_told_heading__that_the_text_shows_counts_once_and_begins_there() -> None:
    text = "머리말\n제1조(목적) 가\n제2조(정의) 나\n제3조(주기) 다\n"
    marks = marks_of(1, text, [(0, 2, "제2조 정의")])
    assert [(mark.start, mark.rank, mark.title) for mark in marks if not mark.of_law] == [
        (text.index("제2조"), 2, "제2조 정의")
    ]
    assert len(marks) == 3
    assert marks_of(1, "# 가\n\n나", [(0, 3, "가")], markdown=True) == [Mark(1, 0, 1, "가")]


def test_section__ends_with_the_page_before_the_one_on_whose_top_the_next_begins() -> None:
    marks = [Mark(1, 5, 1, "a"), Mark(2, 3, 2, "b"), Mark(4, 0, 1, "c")]
    sections = sections_of(marks, [(1, 10), (2, 20), (4, 40)])
    assert [(section.page, section.start, section.end_page, section.end) for section in sections] == [
        (1, 5, 2, 20),
        (2, 3, 2, 20),
        (4, 0, 4, 40),
    ]
    assert [section.parent for section in sections] == [None, 0, None]
    assert sections_of([], []) == []


def test_passage__that_begins_with_headings_belongs_below_the_last_of_them() -> None:
    text = "intro\n\n# a\n\n## b\n\nbody\n\n## c\n\nmore"
    marks = marks_of(1, text, markdown=True)
    at = {title: text.index(f"{title}\n") for title in ("# a", "## b", "## c")}
    assert settled(text, at["# a"], len(text), marks) == at["## b"]
    assert settled(text, at["# a"], at["# a"] + 3, marks) == at["# a"]
    assert settled(text, text.index("body"), len(text), marks) == text.index("body")
    assert settled(text, 0, len(text), marks) == 0


def test_marks__of_a_long_page_take_milliseconds() -> None:
    text = "제5조(점검 " * 3000 + "\n" + "제1장 " + "가 " * 3000 + "\n```\n" * 300 + "■" * 3000
    assert marks_of(1, text, markdown=True) == []


@pytest.mark.parametrize("line", ["# a" + "\t" * 20_000 + "x", "`" * 20_000, "# a\n" * 5_000])
def test_page__that_is_made_to_take_long_does_not(line: str) -> None:
    begin = time.perf_counter()
    marks = marks_of(1, line, markdown=True)
    settled(line, 0, len(line), marks)
    assert time.perf_counter() - begin < 1


def test_heading__may_end_as_it_begins() -> None:
    text = "## One ##\n\n## C#\n\n### Two ### \n"
    assert [mark.title for mark in marks_of(1, text, markdown=True)] == ["One", "C#", "Two"]
