"""What of a written text holds against passages, and the quotes that its numbers lead to."""

from hypothesis import given
from hypothesis import strategies as st

from services.study.cited import Claim, Passage, bound, citation, faults, off_page, plain, read_lines
from services.text.figures import figures, figures_told

PAGE = "머리말. 안전밸브는 매년 4월에 시험한다. 작동 압력은 1.2 MPa이다."
START = PAGE.index("안전밸브")
PASSAGES = {
    3: Passage(3, 7, 70, "지침", 2, START, PAGE[START:]),
    5: Passage(5, 8, 80, "Boiler", 1, 0, "The boiler was inspected on 11.21. It has 1,200 parts."),
}
PAGES = {(7, 2): PAGE, (8, 1): PASSAGES[5].text}


def test_read_lines__gives_markers_to_the_sentence_before_them() -> None:
    (heading, line, other) = read_lines(
        "## 점검 [3]\n\n- 첫째. 둘째이다 [3][5]. 셋째는 이것이다. [5, 3]\n나머지는 없다."
    )
    assert (heading.lead, heading.claims) == ("## ", (Claim("점검", ()),))
    assert line.lead == "- "
    assert line.claims == (Claim("첫째.", ()), Claim("둘째이다.", (3, 5)), Claim("셋째는 이것이다.", (5, 3)))
    assert other.claims == (Claim("나머지는 없다.", ()),)


def test_faults__names_unknown_markers_and_figures() -> None:
    assert faults(Claim("작동 압력은 1.2 MPa이다.", (3,)), PASSAGES) == []
    assert faults(Claim("작동 압력은 1.3 MPa이다.", (3,)), PASSAGES) == ["figure_unknown 1.3"]
    assert faults(Claim("It has 1200 parts since 21 November.", (5,)), PASSAGES) == []
    assert faults(Claim("작동 압력은 1.2 MPa이다.", (5,)), PASSAGES) == ["figure_unknown 1.2"]
    assert faults(Claim("없다.", (9,)), PASSAGES) == ["marker_unknown [9]"]
    assert faults(Claim("7문제를 맞혔다.", ()), PASSAGES, {"7"}) == []
    assert faults(Claim("7문제를 맞혔다.", ()), PASSAGES) == ["figure_unknown 7"]


def test_bound__numbers_anew_and_quotes_what_stands_on_the_page() -> None:
    lines = read_lines("# 가\n## 나\n## 다\n- The boiler was inspected [5].\n# 라\n- 시험은 4월이다 [3][5].\n## 끝")
    text, citations = bound(lines, PASSAGES, 500)
    assert text == "# 가\n\n## 다\n\n- The boiler was inspected [1].\n\n# 라\n\n- 시험은 4월이다 [2][1]."
    assert [(each.n, each.document_id, each.page) for each in citations] == [(1, 8, 1), (2, 7, 2)]
    assert citations[1].quote == "안전밸브는 매년 4월에 시험한다."
    assert citations[1].start == START
    assert off_page(citations, PAGES) == []
    assert off_page(citations, {(8, 1): "Another text."}) == ["[1]", "[2]"]


def test_citation__of_a_claim_without_a_shared_word_is_the_whole_passage() -> None:
    assert citation(1, PASSAGES[3], "zebra").quote == PASSAGES[3].text


def test_plain__leaves_nothing_that_could_be_a_marker() -> None:
    assert plain("a [1]\nb [2, 3] [x]") == "a (1) b (2, 3) [x]"


def test_figures__are_written_in_one_way() -> None:
    assert figures("1,200개, 03월 2026-03-05, 1.50 그리고 1,200") == ["1200", "3", "2026", "5", "1.50"]
    assert figures_told("11.21") == {"11.21", "11", "21"}


@given(
    st.lists(st.sampled_from(["## 제목", "- 시험은 4월이다 [3].", "boiler [5] 그리고 [3].", "말.", ""])),
    st.integers(5, 200),
)
def test_bound__never_passes_its_length_and_never_misquotes(parts: list[str], most: int) -> None:
    text, citations = bound(read_lines("\n".join(parts)), PASSAGES, most)
    assert len(text) <= most
    assert off_page(citations, PAGES) == []
    assert all(f"[{each.n}]" in text for each in citations)
    assert [each.n for each in citations] == list(range(1, len(citations) + 1))
