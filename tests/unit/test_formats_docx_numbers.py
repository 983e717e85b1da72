"""The automatic numbers of DOCX: as Word prints them, in lists, headings, cells and after changes under review."""

import docx
import pytest

from services.formats import registry
from services.formats.numbering import FORMS, ordinal
from services.formats.page import Page
from services.formats.source import Source
from tests.fakes.docx_writer import part, saved, with_part

BODY, NUMBERING, STYLES = "word/document.xml", "word/numbering.xml", "word/styles.xml"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
ARTICLES = (("decimal", "제%1조"), ("decimalEnclosedCircle", "%2"), ("decimal", "%1.%3"))


def level(place: int, form: str, pattern: str, more: str = "", start: int = 1) -> str:
    begin = f'<w:start w:val="{start}"/><w:numFmt w:val="{form}"/>'
    return f'<w:lvl w:ilvl="{place}">{begin}{more}<w:lvlText w:val="{pattern}"/></w:lvl>'


def numbering(*levels: str, nums: str = '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>') -> str:
    abstract = f'<w:abstractNum w:abstractNumId="7">{"".join(levels)}</w:abstractNum>'
    return f"<w:numbering {W}>{abstract}{nums}</w:numbering>"


def paragraph(text: str, place: int | None = 0, number: int = 1, more: str = "") -> str:
    listed = "" if place is None else f'<w:numPr><w:ilvl w:val="{place}"/><w:numId w:val="{number}"/></w:numPr>'
    return f"<w:p><w:pPr>{listed}{more}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def lines(body: str, rules: str, styles: str = "") -> list[str]:
    package = saved(docx.Document())
    body = part(package, BODY).decode().replace("<w:sectPr", f"{body}<w:sectPr", 1)
    package = with_part(with_part(package, BODY, body.encode()), NUMBERING, rules.encode())
    named = part(package, STYLES).decode().replace("</w:styles>", f"{styles}</w:styles>")
    package = with_part(package, STYLES, named.encode())
    pages = registry.parse(Source(package, "a.docx", 2**24))
    return "\n".join(page.text for page in pages if isinstance(page, Page)).split("\n")


def test_parse__counts_levels_and_begins_deeper_ones_anew() -> None:
    rules = numbering(*[level(place, form, pattern) for place, (form, pattern) in enumerate(ARTICLES)])
    places = (("가", 0), ("나", 1), ("다", 1), ("라", 0), ("마", 1), ("바", 2), ("사", 2))
    body = "".join(paragraph(text, place) for text, place in places)
    assert lines(body, rules) == ["제1조 가", "① 나", "② 다", "제2조 라", "① 마", "2.1 바", "2.2 사"]


def test_parse__keeps_counts_that_do_not_restart_and_legal_digits() -> None:
    rules = numbering(
        level(0, "upperRoman", "%1."), level(1, "decimal", "%1.%2", '<w:lvlRestart w:val="0"/><w:isLgl/>', start=5)
    )
    body = "".join(paragraph("가", place) for place in (0, 1, 0, 1))
    assert lines(body, rules) == ["I. 가", "1.5 가", "II. 가", "2.6 가"]


def test_parse__goes_on_over_instances_unless_they_override_the_start() -> None:
    override = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="3"/></w:lvlOverride>'
    nums = "".join(
        f'<w:num w:numId="{number}"><w:abstractNumId w:val="7"/>{more}</w:num>'
        for number, more in ((1, ""), (2, ""), (3, override))
    )
    body = "".join(paragraph("가", 0, number) for number in (1, 2, 3, 3, 1))
    assert lines(body, numbering(level(0, "decimal", "%1)"), nums=nums)) == [
        "1) 가",
        "2) 가",
        "3) 가",
        "4) 가",
        "5) 가",
    ]


def test_parse__takes_the_list_and_the_level_of_a_style() -> None:
    rules = numbering(
        level(0, "decimal", "제%1장", '<w:pStyle w:val="Chapter"/>'),
        level(1, "ganada", "%2.", '<w:pStyle w:val="Item"/>'),
    )
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{name}"><w:name w:val="{name}"/>{based}<w:pPr>{more}</w:pPr></w:style>'
        for name, based, more in (
            ("Chapter", "", '<w:numPr><w:numId w:val="1"/></w:numPr><w:outlineLvl w:val="0"/>'),
            ("Item", "", '<w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr>'),
            ("Closer", '<w:basedOn w:val="Item"/>', ""),
        )
    )
    names = (("총칙", "Chapter"), ("목적", "Item"), ("범위", "Closer"))
    body = "".join(paragraph(text, None, more=f'<w:pStyle w:val="{name}"/>') for text, name in names)
    body += paragraph("번호 없음", 0, 0, '<w:pStyle w:val="Item"/>')
    assert lines(body, rules, styles) == ["# 제1장 총칙", "가. 목적", "나. 범위", "번호 없음"]


def test_parse__follows_a_list_that_a_style_keeps() -> None:
    kept = f'<w:styleLink w:val="Kept"/>{level(0, "lowerLetter", "(%1)")}'
    rules = (
        f'<w:numbering {W}><w:abstractNum w:abstractNumId="1"><w:numStyleLink w:val="Kept"/></w:abstractNum>'
        f'<w:abstractNum w:abstractNumId="2">{kept}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num></w:numbering>'
    )
    assert lines(paragraph("가") + paragraph("나"), rules) == ["(a) 가", "(b) 나"]


def test_parse__numbers_cells_and_skips_paragraphs_deleted_under_review() -> None:
    deleted = '<w:rPr><w:del w:id="1" w:author="a"/></w:rPr>'
    cells = "".join(f"<w:tr><w:tc>{paragraph('')}</w:tc><w:tc>{paragraph(text, None)}</w:tc></w:tr>" for text in "가나")
    body = f"<w:tbl>{cells}</w:tbl>{paragraph('', more=deleted)}{paragraph('다')}"
    rules = numbering(level(0, "decimal", "%1"))
    assert lines(body, rules) == ["| 1 | 가 |", "|---|---|", "| 2 | 나 |", "3 다"]


def test_parse__writes_bullets_as_dashes_and_nothing_for_none() -> None:
    rules = numbering(level(0, "bullet", "\uf0b7"), level(1, "none", ""), level(2, "none", "비고"))
    body = "".join(paragraph("가", place) for place in (0, 1, 2))
    assert lines(body, rules) == ["- 가", "가", "비고 가"]


def test_parse__reads_a_package_whose_numbering_lies() -> None:
    rules = numbering(level(0, "decimal", "%9%1"), '<w:lvl w:ilvl="x"/><w:lvl w:ilvl="99"/>')
    body = paragraph("가", 0) + paragraph("나", 8) + paragraph("다", 77, 5)
    circle = '<w:style w:type="paragraph" w:styleId="A"><w:name w:val="A"/><w:basedOn w:val="A"/></w:style>'
    assert lines(body + paragraph("라", None, more='<w:pStyle w:val="A"/>'), rules, circle) == [
        "1 가",
        "나",
        "다",
        "라",
    ]


def test_parse__gives_comments_formulas_and_spans() -> None:
    math = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    ruby = "<w:ruby><w:rt><w:r><w:t>한</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>韓</w:t></w:r></w:rubyBase></w:ruby>"
    formula = f"<w:p><w:r>{ruby}</w:r><m:oMath {math}><m:r><m:t>x=1</m:t></m:r></m:oMath></w:p>"
    wide = '<w:tr><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr><w:p><w:r><w:t>합</w:t></w:r></w:p></w:tc>'
    table = f"<w:tbl>{wide}<w:tc>{paragraph('끝', None)}</w:tc></w:tr></w:tbl>"
    assert lines(formula + table, numbering()) == ["韓x=1", "| 합 |  | 끝 |", "|---|---|---|"]
    document = docx.Document()
    run = document.add_paragraph("기준값은 7이다.").add_run(" 끝")
    document.add_comment(run, text="확인 C-7", author="a")
    pages = [page for page in registry.parse(Source(saved(document), "a", 2**24)) if isinstance(page, Page)]
    assert pages[0].text == "기준값은 7이다. 끝\n[comment] 확인 C-7"


@pytest.mark.parametrize(
    ("form", "number", "text"),
    [
        ("ganada", 14, "하"),
        ("geoneodeo", 15, "거"),
        ("geoneodeo", 84, "히"),
        ("jamo", 3, "ㄷ"),
        ("roman", 1994, "mcmxciv"),
        ("ROMAN", 4_000, "4000"),
        ("LATIN", 28, "BB"),
        ("circled", 36, "㊱"),
        ("circled", 51, "51"),
        ("circled ganada", 2, "㉯"),
        ("sino", 21, "이십일"),
        ("spelled", 20, "이영"),
        ("native", 23, "스물셋"),
        ("hanja", 110, "百十"),
        ("stems", 10, "계"),
        ("padded", 7, "07"),
        ("ordinal", 112, "112th"),
        ("latin", 10**9, "1000000000"),
        ("digit", 0, "0"),
        ("unheard of", 3, "3"),
    ],
)
def test_ordinal__writes_numbers_in_words_and_letters(form: str, number: int, text: str) -> None:
    assert ordinal(form, number) == text


def test_ordinal__has_a_sign_for_the_first_ten_in_every_form() -> None:
    for form in FORMS:
        assert len({ordinal(form, number) for number in range(1, 11)}) == 10, form
