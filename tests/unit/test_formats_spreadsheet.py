"""Spreadsheets: sheets as pages, values as they are seen, long sheets, old and open formats, locked and cut ones."""

import datetime
import io

import pytest
import xlsxwriter

from services.formats import parts
from tests.fakes.docx_writer import part, with_part
from tests.fakes.office_writer import odf, ods, xls, xlsx
from tests.fakes.ole_writer import compound
from tests.fakes.parsing import parse, refusal

MAIN = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


def test_parse__gives_each_sheet_its_page_also_an_empty_one() -> None:
    header, pages = parse(xlsx({"점검표": [["번호", "내용"], [1, "밸브"]], "Data": [], "둘째": [["하나"]]}))
    assert header.media_type == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert [(page.number, page.label) for page in pages] == [(1, "점검표"), (2, "Data"), (3, "둘째")]
    assert [page.text for page in pages] == ["| 번호 | 내용 |\n|---|---|\n| 1 | 밸브 |", "", "하나"]
    assert pages[0].headings[0].title == "점검표"


def test_parse__shows_values_as_a_person_sees_them() -> None:
    day = datetime.datetime(2026, 3, 2)  # noqa: DTZ001  sheets know no zones
    values = [
        (day, "yyyy-mm-dd"),
        (day.replace(hour=14, minute=30), "yyyy-mm-dd hh:mm"),
        (datetime.time(9, 5), "hh:mm"),
        (1.5, "[h]:mm"),
        (0.473, "0%"),
        (0.07, '0.0"%"'),
        (0.1 + 0.2, "General"),
        (7.0, "0"),
        (1234567.5, "#,##0"),
        (True, "General"),
        (1e20, "General"),
    ]
    _, pages = parse(xlsx({"값": [["x"] * len(values), values]}))
    seen = [cell.strip() for cell in pages[0].text.splitlines()[2].strip("|").split("|")]
    assert seen == [
        *("2026-03-02", "2026-03-02 14:30", "09:05", "36:00", "47.3%", "0.07", "0.3", "7", "1234567.5", "TRUE"),
        "100000000000000000000",
    ]


def test_parse__keeps_titles_above_the_table_and_drops_what_is_empty() -> None:
    rows = [["월간 점검표"], [], ["번호", "", "값"], [], [1, "", "a\nb"]]
    _, pages = parse(xlsx({"표": rows}))
    assert pages[0].text == "월간 점검표\n| 번호 |  | 값 |\n|---|---|---|\n| 1 |  | a b |"


def test_parse__cuts_a_long_sheet_and_repeats_its_heading_row() -> None:
    rows = [["번호", "내용"], *([number, "가" * 100] for number in range(1_000))]
    _, pages = parse(xlsx({"긴 표": rows, "다음": [["끝"]]}))
    assert [page.label for page in pages] == [*("긴 표", *(f"긴 표 ({turn})" for turn in range(2, len(pages)))), "다음"]
    assert all(len(page.text) <= parts.MAX_PART_CHARS for page in pages)
    assert all(page.text.startswith("| 번호 | 내용 |\n|---|---|\n| ") for page in pages[:-1])
    numbers = [int(line.split("|")[1]) for page in pages[:-1] for line in page.text.splitlines()[2:]]
    assert numbers == list(range(1_000))


def test_parse__cuts_a_row_that_is_longer_than_a_page() -> None:
    _, pages = parse(xlsx({"표": [["가 " * 15_000, "나 " * 15_000]]}))
    assert len(pages) > 2
    assert all(len(page.text) <= parts.MAX_PART_CHARS for page in pages)


def test_parse__reads_remarks_boxes_margins_and_hidden_sheets() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet("a")
        sheet.write(0, 0, "값")
        sheet.write_comment(2, 1, "메모 M-1")
        sheet.insert_textbox(4, 1, "글상자")
        sheet.set_header('&C&"굴림,굵게"&14대외비 && 사본 &P')
        hidden = book.add_worksheet("숨김")
        hidden.write(0, 0, "숨은 값")
        hidden.hide()
    _, pages = parse(file.getvalue())
    assert pages[0].text == "값\n\n글상자\nB3: 메모 M-1\n대외비 & 사본"
    assert (pages[1].label, pages[1].text) == ("숨김", "숨은 값")


def test_parse__reads_workbooks_with_macros() -> None:
    package = xlsx({"표": [["값"]]})
    kind = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    types = part(package, "[Content_Types].xml").replace(MAIN, kind)
    assert parse(with_part(package, "[Content_Types].xml", types))[1][0].text == "값"


def test_parse__reads_old_workbooks_by_content() -> None:
    header, pages = parse(xls("점검", [["번호", "값"], ["Q-1", 12.5]]), "a.doc")
    assert header.media_type == "application/vnd.ms-excel"
    assert (pages[0].label, pages[0].text) == ("점검", "| 번호 | 값 |\n|---|---|\n| Q-1 | 12.5 |")


def test_parse__reads_open_spreadsheets_with_percentages_and_remarks() -> None:
    percent = (
        '<table:table-cell office:value-type="percentage" office:value="0.47"><text:p>47 %</text:p></table:table-cell>'
    )
    remark = (
        '<table:table-cell office:value-type="string"><office:annotation><text:p>메모</text:p></office:annotation>'
        "<text:p>값</text:p></table:table-cell>"
    )
    header, pages = parse(ods("표", [["이름", "비율"], ["가", percent], [remark, "나"]]))
    assert header.media_type == "application/vnd.oasis.opendocument.spreadsheet"
    assert pages[0].text == "| 이름 | 비율 |\n|---|---|\n| 가 | 47% |\n| 값 | 나 |\n\n메모"


def test_parse__reads_a_web_page_that_calls_itself_a_workbook() -> None:
    page = "<html><body><table><tr><td>번호</td><td>값</td></tr></table></body></html>".encode()
    assert parse(page, "내역.xls")[1][0].text == "| 번호 | 값 |\n|---|---|"


def test_parse__tells_locked_cut_empty_and_other_old_files_apart() -> None:
    package = xlsx({"표": [["값"] * 50] * 50})
    assert refusal(package[: len(package) // 2]) == "corrupt"
    assert refusal(with_part(package, "xl/worksheets/sheet1.xml", b"<worksheet")) == "corrupt"
    assert refusal(xlsx({"표": []})) == "empty"
    assert refusal(compound({"EncryptedPackage": bytes(5_000), "EncryptionInfo": bytes(99)}), "a.xlsx") == "encrypted"
    assert refusal(compound({"WordDocument": bytes(5_000), "ObjectPool/Workbook": bytes(99)})) == "unsupported_format"
    assert refusal(package, max_unpacked_bytes=1_000) == "too_large"


@pytest.mark.parametrize("kind", ["chart", "formula"])
def test_parse__refuses_open_documents_of_other_kinds(kind: str) -> None:
    assert refusal(odf(kind, "")) == "unsupported_format"
