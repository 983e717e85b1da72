"""DOCX: order, parts, notes, and packages that lie."""

import docx
import pytest
from docx.enum.text import WD_BREAK

from services.formats import registry
from services.formats.page import FormatError, Header, Page
from services.formats.source import Source
from tests.fakes.docx_writer import part, saved, with_part

BODY = "word/document.xml"


def parse(content: bytes, max_unpacked_bytes: int = 2**24) -> tuple[Header, list[Page]]:
    header, *pages = registry.parse(Source(content, "a.bin", max_unpacked_bytes))
    assert isinstance(header, Header)
    return header, [page for page in pages if isinstance(page, Page)]


def refusal(content: bytes, max_unpacked_bytes: int = 2**24) -> str:
    with pytest.raises(FormatError) as caught:
        parse(content, max_unpacked_bytes)
    return caught.value.code


def report() -> bytes:
    document = docx.Document()
    document.add_heading("점검 보고서", 1)
    document.add_paragraph("첫 문단")
    table = document.add_table(2, 2)
    for cell, text in zip(table._cells, ["항목", "값", "주기", "7일"], strict=True):
        cell.text = text
    document.add_paragraph("하나", style="List Bullet")
    document.add_heading("세부", 3)
    document.add_heading("둘째 장", 2)
    document.add_paragraph("본문").add_run().add_break(WD_BREAK.PAGE)
    document.sections[0].header.paragraphs[0].text = "머리글 N-1"
    document.sections[0].footer.paragraphs[0].text = "바닥글 N-2"
    return saved(document)


def test_parse__walks_the_document_in_order_and_cites_by_headings() -> None:
    header, pages = parse(report())
    assert header.title == "점검 보고서"
    assert pages[0].text == "# 점검 보고서\n첫 문단\n| 항목 | 값 |\n|---|---|\n| 주기 | 7일 |\n- 하나\n### 세부"
    assert [page.label for page in pages] == ["점검 보고서", "둘째 장", "header and footer"]
    assert pages[-1].text == "머리글 N-1\n바닥글 N-2"


def test_parse__starts_a_part_after_3000_characters_and_at_page_breaks() -> None:
    document = docx.Document()
    for _ in range(40):
        document.add_paragraph("가" * 200)
    document.add_page_break()
    document.add_paragraph("끝")
    _, pages = parse(saved(document))
    assert [len(page.text) // 200 for page in pages] == [15, 15, 10, 0]
    assert pages[-1].text == "끝"


def test_parse__keeps_insertions_and_text_boxes_and_drops_deletions() -> None:
    package = saved(docx.Document())
    inner = (
        "<w:p><w:ins><w:r><w:t>넣음</w:t></w:r></w:ins><w:del><w:r><w:delText>뺌</w:delText></w:r></w:del>"
        "<w:sdt><w:sdtContent><w:r><w:t>칸</w:t></w:r></w:sdtContent></w:sdt></w:p><w:sectPr"
    )
    body = part(package, BODY).decode().replace("<w:sectPr", inner, 1)
    assert parse(with_part(package, BODY, body.encode()))[1][0].text == "넣음칸"


def test_parse__refuses_what_unpacks_too_large_before_opening_it() -> None:
    assert refusal(with_part(report(), "word/media/a.bin", bytes(2**24)), 2**24) == "too_large"


def test_parse__refuses_entities() -> None:
    package = report()
    declared = part(package, BODY).replace(b"<w:document", b'<!DOCTYPE a [<!ENTITY b "c">]><w:document', 1)
    assert refusal(with_part(package, BODY, declared)) == "too_large"


def test_parse__tells_cut_damaged_and_empty_apart() -> None:
    package = report()
    assert refusal(package[: len(package) // 2]) == "corrupt"
    assert refusal(with_part(package, BODY, b"<w:document")) == "corrupt"
    assert refusal(saved(docx.Document())) == "empty"
