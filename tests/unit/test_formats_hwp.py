"""Hangul documents: words, numbers, tables and notes in their places, and files that are closed or lie."""

import struct

import olefile
import pytest

from services.formats import hwp_binary, hwp_blocks, hwp_native, hwp_xml, registry
from services.formats.hwp_blocks import Cell, Paragraph, Table
from services.formats.page import FormatError, Header, Page
from services.formats.source import Source
from tests.fakes import hwp_writer as binary
from tests.fakes import hwpx_writer as packed
from tests.fakes.ole_writer import compound

ONE = packed.document(packed.paragraph("한 줄"))


def parse(content: bytes, max_unpacked_bytes: int = 2**24) -> tuple[Header, list[Page]]:
    header, *pages = registry.parse(Source(content, "a.bin", max_unpacked_bytes))
    assert isinstance(header, Header)
    return header, [page for page in pages if isinstance(page, Page)]


def blocks(content: bytes) -> list[str]:
    return parse(content)[1][0].text.split("\n\n")


def refusal(content: bytes, max_unpacked_bytes: int = 2**24) -> FormatError:
    with pytest.raises(FormatError) as caught:
        parse(content, max_unpacked_bytes)
    return caught.value


HEADED = [("총칙", "outline"), ("목적", "outline2"), ("하나", "number"), ("둘", "number"), ("둘의 하나", "number2")]
HEADED += [("점", "bullet"), ("둘째 장", "outline"), ("범위", "outline2")]
NUMBERED = ["# 1. 총칙", "## 가. 목적", "1. 하나", "2. 둘", "가. 둘의 하나", "- 점", "# 2. 둘째 장", "## 가. 범위"]


def test_parse__writes_automatic_numbers_and_headings_out() -> None:
    assert blocks(packed.document(*[packed.paragraph(text, head) for text, head in HEADED])) == NUMBERED
    assert blocks(binary.document(*[binary.paragraph(text, head=head) for text, head in HEADED])) == NUMBERED


def test_parse__calls_a_numbered_sentence_no_heading() -> None:
    assert blocks(packed.document(packed.paragraph("주기는 7일로 한다.", "outline"))) == ["1. 주기는 7일로 한다."]


def test_parse__writes_patterns_of_several_levels() -> None:
    levels = [("DIGIT", "제^1조"), ("CIRCLED_DIGIT", "^1-^2")]
    lines = [
        packed.paragraph("목적", "number"),
        packed.paragraph("본문", "number2"),
        packed.paragraph("본문", "number2"),
    ]
    assert blocks(packed.document(*lines, numbering=levels)) == ["제1조 목적", "1-① 본문", "1-② 본문"]
    text = binary.paragraph("목적", head="number") + binary.paragraph("본문", head="number2")
    assert blocks(binary.document(text, numbering=[(0, "제^1조"), (1, "^1-^2")])) == ["제1조 목적", "1-① 본문"]


def noted_xml() -> bytes:
    notes = packed.control("footNote", "각주 F-1"), packed.control("endNote", "미주 E-1")
    return packed.document(
        packed.paragraph(packed.run("처음") + packed.control("header", "머리글 H-1") + packed.control("footer", "- -")),
        packed.paragraph(packed.run("본문") + notes[0] + packed.run("계속") + notes[1]),
        packed.paragraph(packed.run("상자") + packed.text_box("안쪽 T-1")),
        packed.paragraph(packed.run("설명") + packed.control("hiddenComment", "숨은 C-1")),
    )


def noted_binary() -> bytes:
    notes = binary.control("fn", ["각주 F-1"]), binary.control("en", ["미주 E-1"])
    return binary.document(
        binary.paragraph("처음", binary.control("head", ["머리글 H-1"]), binary.control("foot", ["- -"])),
        binary.paragraph("본문", notes[0], "계속", notes[1]),
        binary.paragraph("상자", binary.text_box(["안쪽 T-1"])),
        binary.paragraph("설명", binary.control("tcmt", ["숨은 C-1"])),
    )


@pytest.mark.parametrize("content", [noted_xml(), noted_binary()], ids=["hwpx", "hwp"])
def test_parse__puts_notes_below_their_paragraph_and_margins_last(content: bytes) -> None:
    _, pages = parse(content)
    below = ["[^f1]: 각주 F-1", "[^e1]: 미주 E-1"]
    boxed = ["상자", "안쪽 T-1", "설명", "[comment] 숨은 C-1"]
    assert pages[0].text.split("\n\n") == ["처음", "본문[^f1]계속[^e1]", *below, *boxed]
    assert [(page.label, page.text) for page in pages[1:]] == [("header and footer", "머리글 H-1")]


def test_parse__gives_memos_as_comments() -> None:
    assert blocks(binary.document(binary.paragraph("본문"), binary.memo(["메모 M-1"]))) == [
        "본문",
        "[comment] 메모 M-1",
    ]
    inner = f"<hp:subList>{packed.paragraph('메모 M-1')}</hp:subList>"
    field = f'<hp:run><hp:ctrl><hp:fieldBegin type="MEMO">{inner}</hp:fieldBegin></hp:ctrl><hp:t>본문</hp:t></hp:run>'
    assert blocks(packed.document(packed.paragraph(field))) == ["본문", "[comment] 메모 M-1"]


def test_parse__leaves_out_deletions_and_what_fields_command() -> None:
    changed = "<hp:t>산<hp:deleteBegin/>지운 말</hp:t><hp:t>과<hp:deleteEnd/>것<hp:tab/>탭<hp:lineBreak/>줄</hp:t>"
    field = "<hp:ctrl><hp:fieldBegin><hp:parameters><hp:stringParam>%%</hp:stringParam></hp:parameters></hp:fieldBegin>"
    lines = [f"<hp:run>{changed}</hp:run>", f"<hp:run>{field}</hp:ctrl><hp:t>칸</hp:t></hp:run>"]
    assert blocks(packed.document(*map(packed.paragraph, lines))) == ["산것\t탭\n줄", "칸"]


GRID = ["| 병합 |  |\n|---|---|\n| 가 | 나 |", "| 안1 | 안2 |\n|---|---|"]


def test_parse__writes_merged_and_nested_tables() -> None:
    nested = packed.paragraph(packed.run("나") + packed.table([["안1", "안2"]]))
    table = packed.table([[("병합", 1, 2)], ["가", nested]], caption="표 1")
    assert blocks(packed.document(packed.paragraph(table))) == ["표 1", *GRID]
    inner = binary.table([(0, 0, 1, 1, ["안1"]), (0, 1, 1, 1, ["안2"])])
    outer = binary.table([(0, 0, 1, 2, ["병합"]), (1, 0, 1, 1, ["가"]), (1, 1, 1, 1, ["나", inner])])
    assert blocks(binary.document(binary.paragraph(outer))) == GRID


def test_parse__gives_a_frame_of_one_column_as_its_blocks() -> None:
    framed = packed.table([[packed.paragraph("제목", "outline")], ["본문"]])
    assert blocks(packed.document(packed.paragraph(framed))) == ["1. 제목", "본문"]


def test_markdown__refuses_a_table_of_a_billion_places_and_ignores_what_spans_claim() -> None:
    far = [Cell(row * 300, row * 300, [Paragraph("가")]) for row in range(200)]
    assert hwp_blocks.markdown([Table(far)])[0].count("가") == 200
    with pytest.raises(FormatError):
        hwp_blocks.markdown([Table([Cell(place, place, [Paragraph("가")]) for place in range(1_000)])])


def test_parse__tells_divisions_and_articles_of_rules() -> None:
    lines = [
        "제1장 총칙",
        "제1조(목적) 이 규정은 기준을 정한다.",
        "제2조의2(정의)",
        "제1조에 따른다.",
        "제1장 총칙 ··· 3",
    ]
    _, pages = parse(packed.document(*map(packed.paragraph, lines)))
    assert [(each.level, each.title) for each in pages[0].headings] == [
        (2, "제1장 총칙"),
        (5, "제1조(목적)"),
        (5, "제2조의2(정의)"),
    ]
    assert pages[0].label == "제1장 총칙"


def test_parse__takes_the_title_of_the_summary_else_the_first_heading() -> None:
    assert parse(packed.document(packed.paragraph("첫 장", "outline"), title="점검 지침"))[0].title == "점검 지침"
    assert parse(binary.document(binary.paragraph("첫 장", head="outline")))[0].title == "1. 첫 장"
    summary = binary.document(
        binary.paragraph("본문"), flags=0, streams={"\x05HwpSummaryInformation": summary_of("지침")}
    )
    assert parse(summary)[0].title == "지침"


def summary_of(title: str) -> bytes:
    value = (title + "\0").encode("utf-16-le")
    section = struct.pack("<IIII", 0, 1, 2, 16) + struct.pack("<II", 0x1F, len(title) + 1) + value + bytes(64)
    return struct.pack("<HHI16xI16xI", 0xFFFE, 0, 0, 1, 48) + section


@pytest.mark.parametrize(
    "summary", [b"", bytes(60), summary_of("지침")[:70], summary_of("x").replace(b"\x1f", b"\x1e")]
)
def test_parse__does_without_a_damaged_summary(summary: bytes) -> None:
    content = binary.document(binary.paragraph("본문"), flags=0, streams={"\x05HwpSummaryInformation": summary})
    assert parse(content)[0].title == ""


def test_parse__reads_streams_that_are_not_compressed() -> None:
    assert blocks(binary.document(binary.paragraph("한 줄\n둘째"), flags=0)) == ["한 줄\n둘째"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (binary.document(binary.paragraph("가"), flags=binary.DISTRIBUTED), "배포용"),
        (packed.document(packed.paragraph("이 문서는 상위 버전의 배포용 문서입니다. 읽으려면 …")), "배포용"),
        (binary.document(binary.paragraph("가"), flags=binary.LOCKED), "password"),
        (packed.document(packed.paragraph("가"), locked=True), "password"),
    ],
    ids=["flag", "notice", "locked hwp", "locked hwpx"],
)
def test_parse__says_what_to_do_with_a_closed_document(content: bytes, word: str) -> None:
    error = refusal(content)
    assert error.code == "encrypted"
    assert word in str(error)


def test_parse__reads_a_document_that_speaks_of_distribution_copies() -> None:
    text = "한글은 상위 버전의 배포용 문서입니다라고 알린다. " + "설명이 이어진다. " * 60
    assert parse(packed.document(packed.paragraph(text)))[1][0].text.startswith("한글은")


def test_parse__says_empty_and_damaged() -> None:
    assert refusal(packed.document()).code == "empty"
    assert refusal(binary.document()).code == "empty"
    assert refusal(ONE[: len(ONE) // 2]).code == "corrupt"
    assert refusal(packed.packed({"Contents/header.xml": "<a/>", "Contents/section0.xml": "<a"})).code == "corrupt"
    assert refusal(packed.packed({"Contents/header.xml": "<a/>"})).code == "corrupt"


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_parse__calls_a_cut_binary_damaged(share: float) -> None:
    whole = binary.document(binary.paragraph("가나다 " * 9_000), flags=0)
    assert refusal(whole[: int(len(whole) * share)]).code == "corrupt"


def test_parse__calls_records_that_run_over_their_end_damaged() -> None:
    assert refusal(binary.document(binary.record(50, 0, bytes(24))[:-4])).code == "corrupt"
    assert refusal(binary.document(binary.record(50, 300, bytes(24)))).code == "corrupt"
    cut = binary.document(binary.paragraph("가"), streams={"BodyText/Section1": b""})
    assert blocks(cut) == ["가"]


def test_parse__refuses_what_unpacks_too_large() -> None:
    assert refusal(packed.document(packed.paragraph("가"), bomb=bytes(2**24))).code == "too_large"
    assert refusal(binary.document(binary.paragraph("가" * 2**20)), 2**20).code == "too_large"


def test_parse__refuses_entities() -> None:
    members = {"Contents/header.xml": "<a/>", "Contents/section0.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}
    assert refusal(packed.packed(members)).code == "too_large"


def test_parse__asks_the_other_reader_for_a_layout_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    def strange(*_: object) -> None:
        raise KeyError("Contents/section0.xml")

    whole = packed.document(packed.paragraph("첫 줄"), packed.paragraph(packed.table([[("병합", 2, 1), "가"], ["나"]])))
    monkeypatch.setattr(hwp_xml, "read", strange)
    assert blocks(whole) == ["첫 줄", "| 병합 | 가 |\n|---|---|\n|  | 나 |"]
    monkeypatch.setattr(hwp_binary, "read", strange)
    assert blocks(binary.document(binary.paragraph("첫 줄"))) == ["첫 줄"]


def test_native__names_what_it_cannot_read() -> None:
    with pytest.raises(FormatError) as caught:
        hwp_native.read(b"no document at all")
    assert caught.value.code == "unsupported_format"
    with pytest.raises(FormatError) as caught:
        hwp_native.read(ONE[:400])
    assert caught.value.code == "corrupt"


def test_parse__names_the_version_it_does_not_read() -> None:
    error = refusal(b"HWP Document File V3.00 \x1a\x01\x02\x03\x04\x05" + bytes(200))
    assert error.code == "unsupported_format"
    assert "HWPX" in str(error)


def test_compound__is_read_by_a_strange_reader() -> None:
    streams = {"Small": b"a" * 70, "Store/Large": bytes(range(256)) * 40, "Store/Small": b"b", "Empty": b""}
    with olefile.OleFileIO(compound(streams)) as document:
        assert {"/".join(path): document.openstream(path).read() for path in document.listdir()} == streams
