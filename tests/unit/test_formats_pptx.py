"""PPTX: a page per slide, all that is written on it and behind it, shows with macros, damaged packages."""

import io

import pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE

from tests.fakes.docx_writer import part, with_part
from tests.fakes.office_writer import pptx as slides
from tests.fakes.office_writer import shown
from tests.fakes.parsing import parse, refusal

MAIN = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
DIAGRAM = (
    '<dgm:dataModel xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><dgm:ptLst><dgm:pt><dgm:t><a:p><a:r><a:t>접수</a:t>'
    '</a:r></a:p></dgm:t></dgm:pt><dgm:pt type="pres"><dgm:t><a:p><a:r><a:t>꾸밈</a:t></a:r></a:p></dgm:t></dgm:pt>'
    "</dgm:ptLst></dgm:dataModel>"
)
PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\x9cc\xf8\x0f\0\x01\x01\x01\0"
    b"\x1b\xb6\xeeV\0\0\0\0IEND\xaeB`\x82"
)


def with_relation(package: bytes, kind: str, name: str, content: str) -> bytes:
    """Give the package with one more part that its first slide points at."""
    rels = "ppt/slides/_rels/slide1.xml.rels"
    entry = f'<Relationship Id="rId99" Type="http://schemas/relationships/{kind}" Target="{name}"/></Relationships>'
    package = with_part(package, f"ppt/slides/{name}", content.encode())
    return with_part(package, rels, part(package, rels).replace(b"</Relationships>", entry.encode()))


def test_parse__gives_a_page_per_slide_with_its_notes() -> None:
    header, pages = parse(slides([("점검 계획", "밸브 K-1", "말로만 M-1"), ("", "", ""), ("", "", "쪽지 M-2")]))
    assert header.title == "점검 계획"
    assert [page.number for page in pages] == [1, 2, 3]
    assert pages[0].text == "# 점검 계획\n\n밸브 K-1\n\nNotes: 말로만 M-1"
    assert [(page.label, page.text) for page in pages[1:]] == [("2", ""), ("3", "Notes: 쪽지 M-2")]


def test_parse__reads_groups_tables_charts_and_hidden_slides() -> None:
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[6])
    slide._element.set("show", "0")
    inner = slide.shapes.add_group_shape().shapes.add_group_shape()
    inner.shapes.add_textbox(0, 0, 9, 9).text_frame.text = "묶음 속"
    table = slide.shapes.add_table(2, 2, 0, 0, 9, 9).table
    table.cell(0, 0).text, table.cell(0, 1).text = "항목", "값|단위"
    table.cell(1, 0).merge(table.cell(1, 1))
    table.cell(1, 0).text = "합친 칸"
    data = CategoryChartData()
    data.categories = ["1분기", "2분기"]
    data.add_series("매출", (0.1 + 0.2, 5))
    slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, 0, 0, 9, 9, data)
    _, pages = parse(shown(show))
    assert pages[0].text == (
        "묶음 속\n\n| 항목 | 값\\|단위 |\n|---|---|\n| 합친 칸 |  |\n\n"
        "|  | 매출 |\n|---|---|\n| 1분기 | 0.3 |\n| 2분기 | 5 |"
    )


def test_parse__gives_no_slide_twice_that_a_section_names() -> None:
    package = slides([("", "글", ""), ("", "둘", "")])
    sections = (
        '<p:extLst><p:ext><p14:sectionLst xmlns:p14="http://schemas.microsoft.com/office/powerpoint/2010/main">'
        '<p14:section name="a"><p14:sldIdLst><p14:sldId id="256"/><p14:sldId id="257"/></p14:sldIdLst></p14:section>'
        "</p14:sectionLst></p:ext></p:extLst></p:presentation>"
    )
    body = part(package, "ppt/presentation.xml").replace(b"</p:presentation>", sections.encode())
    assert [page.text for page in parse(with_part(package, "ppt/presentation.xml", body))[1]] == ["글", "둘"]


def test_parse__reads_comments_old_and_new() -> None:
    old = '<p:cmLst xmlns:p="urn:p"><p:cm><p:text>고쳐 주세요</p:text></p:cm></p:cmLst>'
    new = '<c:cm xmlns:c="urn:c" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><c:txBody><a:p><a:r><a:t>'
    _, pages = parse(with_relation(slides([("", "글", "")]), "comments", "c.xml", old))
    assert pages[0].text == "글\n\nComment: 고쳐 주세요"
    _, pages = parse(
        with_relation(slides([("", "글", "")]), "comments", "c.xml", f"{new}답</a:t></a:r></a:p></c:txBody></c:cm>")
    )
    assert pages[0].text == "글\n\nComment: 답"


def test_parse__reads_smartart() -> None:
    package = with_relation(slides([("", "글", "")]), "diagramData", "d.xml", DIAGRAM)
    frame = (
        '<p:graphicFrame><p:nvGraphicFramePr/><a:graphic><a:graphicData><dgm:relIds xmlns:dgm="urn:d" r:dm="rId99" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"/></a:graphicData></a:graphic>'
        "</p:graphicFrame></p:spTree>"
    )
    body = part(package, "ppt/slides/slide1.xml").replace(b"</p:spTree>", frame.encode())
    _, pages = parse(with_part(package, "ppt/slides/slide1.xml", body))
    assert pages[0].text == "글\n\n- 접수"


@pytest.mark.parametrize(
    "kind",
    [
        "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml",
        "application/vnd.openxmlformats-officedocument.presentationml.slideshow.main+xml",
        "application/vnd.openxmlformats-officedocument.presentationml.template.main+xml",
        "application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml",
    ],
)
def test_parse__reads_shows_with_macros_and_templates(kind: str) -> None:
    package = slides([("", "글", "")])
    types = part(package, "[Content_Types].xml").replace(MAIN.encode(), kind.encode())
    assert parse(with_part(package, "[Content_Types].xml", types))[1][0].text == "글"


def test_parse__says_of_a_slide_of_pictures_that_it_was_not_read() -> None:
    show = pptx.Presentation()
    show.slides.add_slide(show.slide_layouts[6]).shapes.add_textbox(0, 0, 9, 9).text_frame.text = "글"
    show.slides.add_slide(show.slide_layouts[6]).shapes.add_picture(io.BytesIO(PNG), 0, 0)
    _, pages = parse(shown(show))
    assert [(page.origin, bool(page.note)) for page in pages] == [("text", False), ("unread", True)]


def test_parse__tells_cut_damaged_and_empty_apart() -> None:
    package = slides([("제목", "글", "")])
    assert refusal(package[: len(package) // 2]) == "corrupt"
    assert refusal(with_part(package, "ppt/slides/slide1.xml", b"<p:sld")) == "corrupt"
    assert refusal(slides([("", "", "")])) == "empty"
    assert refusal(package, max_unpacked_bytes=1_000) == "too_large"
