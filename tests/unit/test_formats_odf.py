"""OpenDocument text and slides: headings, lists, tables, notes, what stands beside the text."""

from tests.fakes.office_writer import odf, odp, odt
from tests.fakes.parsing import parse, refusal

NOTE = (
    "<text:p>본문<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>각주 F-1</text:p>"
    '</text:note-body></text:note> 끝<text:s text:c="2"/>.</text:p>'
)
LIST = (
    "<text:list><text:list-item><text:p>하나</text:p>"
    "<text:list><text:list-item><text:p>하나 반</text:p></text:list-item></text:list>"
    "</text:list-item><text:list-item><text:p>둘</text:p></text:list-item></text:list>"
)
TABLE = (
    "<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>항목</text:p></table:table-cell>"
    "<table:table-cell><text:p>값</text:p></table:table-cell></table:table-row></table:table-header-rows><table:table-row>"
    '<table:table-cell table:number-columns-repeated="2"><text:p>7</text:p></table:table-cell>'
    "</table:table-row></table:table>"
)
CHANGES = "<text:tracked-changes><text:deletion><text:p>지운 글</text:p></text:deletion></text:tracked-changes>"
BOX = "<text:p>줄<draw:frame><draw:text-box><text:p>글상자</text:p></draw:text-box></draw:frame></text:p>"
MARGINS = "<style:master-page><style:header><text:p>머리글 N-1</text:p></style:header></style:master-page>"


def test_parse__walks_a_text_in_order() -> None:
    header, pages = parse(odt(["점검 보고서", "첫 문단", "둘째 문단"]))
    assert (header.media_type, header.title) == ("application/vnd.oasis.opendocument.text", "점검 보고서")
    assert (pages[0].label, pages[0].text) == ("점검 보고서", "# 점검 보고서\n첫 문단\n둘째 문단")


def test_parse__reads_notes_lists_tables_and_boxes_and_drops_deletions() -> None:
    _, pages = parse(odf("text", CHANGES + NOTE + LIST + TABLE + BOX, MARGINS))
    assert pages[0].text == (
        "본문[^1] 끝  .\n[^1]: 각주 F-1\n- 하나\n  - 하나 반\n- 둘\n| 항목 | 값 |\n|---|---|\n| 7 | 7 |\n줄\n글상자"
    )
    assert (pages[1].label, pages[1].text) == ("header and footer", "머리글 N-1")


def test_parse__cuts_a_long_text_at_headings() -> None:
    body = "".join(f'<text:h text:outline-level="2">{n}절</text:h><text:p>{"가" * 900}</text:p>' for n in range(9))
    _, pages = parse(odf("text", body))
    assert all(len(page.text) <= 3_000 for page in pages)
    assert [page.label for page in pages] == ["0절", "3절", "6절"]


def test_parse__gives_a_page_per_slide() -> None:
    header, pages = parse(odp([("제목", "본문 K-1", "노트 M-1"), ("", "", ""), ("셋", "끝", "")]))
    assert (header.media_type, header.title) == ("application/vnd.oasis.opendocument.presentation", "제목")
    assert pages[0].text == "# 제목\n\n본문 K-1\n\nNotes: 노트 M-1"
    assert [(page.number, page.label) for page in pages] == [(1, "제목"), (2, "2"), (3, "셋")]


def test_parse__knows_a_package_without_its_first_member() -> None:
    assert parse(odf("text", "<text:p>글</text:p>", mimetype=False))[1][0].text == "글"


def test_parse__tells_cut_locked_and_empty_apart() -> None:
    text = odt(["점검"] * 99)
    assert refusal(text[: len(text) // 2]) == "corrupt"
    assert refusal(odf("text", "<text:p/>")) == "empty"
    assert refusal(odf("text", "<text:p>열림")) == "corrupt"
    assert refusal(text, max_unpacked_bytes=100) == "too_large"
    locked = odf("text", "<text:p>글</text:p>", entry="<manifest:encryption-data/>")
    assert refusal(locked) == "encrypted"
