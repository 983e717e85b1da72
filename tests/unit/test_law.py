"""What a law's title, file name and first lines say of its version."""

from datetime import date

import pytest

from services.text.law import LawVersion, law_version, series_name

ACT = "산업안전보건법"
HEADER = "산업안전보건법\n[시행 2024. 1. 1.] [법률 제19438호, 2023. 6. 13., 일부개정]"


@pytest.mark.parametrize(
    ("title", "filename", "head", "series", "effective", "number"),
    [
        (ACT, "a.pdf", HEADER, ACT, date(2024, 1, 1), "법률 제19438호"),
        (HEADER.replace("\n", " "), "a.pdf", "", ACT, date(2024, 1, 1), "법률 제19438호"),
        (
            "산업안전보건법 시행령(대통령령)(제33913호)(20231212)",
            "산업안전보건법 시행령(대통령령)(제33913호)(20231212).hwp",
            "",
            "산업안전보건법 시행령",
            date(2023, 12, 12),
            "대통령령 제33913호",
        ),
        ("고압가스 안전관리법", "x.hwp", "시행일: 2023-07-01", "고압가스 안전관리법", date(2023, 7, 1), None),
        ("위험물안전관리법 (일부개정) 시행 2023.7.1", "x.pdf", "", "위험물안전관리법", date(2023, 7, 1), None),
        ("규칙", "x.pdf", "**시행일** | 2024년 12월 29일", "규칙", date(2024, 12, 29), None),
        ("지침", "x.pdf", "이 고시는 2023년 5월 22일부터 시행한다", "지침", date(2023, 5, 22), None),
        ("Clean Air Act", "c.pdf", "Effective as of January 1, 2024.", "Clean Air Act", date(2024, 1, 1), None),
        ("Code", "c.pdf", "Act No. 12345, in force from 1 March 2023", "Code", date(2023, 3, 1), "Act No. 12345"),
    ],
)
def test_law_version__reads_the_day_of_effect_the_number_and_the_name(
    title: str, filename: str, head: str, series: str, effective: date, number: str | None
) -> None:
    assert law_version(title, filename, head) == LawVersion(series, effective, number)


@pytest.mark.parametrize(
    ("filename", "series", "effective"),
    [
        ("KGS AC111 2024_1.pdf", "KGS AC111", date(2024, 1, 1)),
        ("KGS AC111 2023_12.pdf", "KGS AC111", date(2023, 12, 1)),
        ("AC111_2024_1.pdf", "AC111", date(2024, 1, 1)),
        ("안전관리법_20240101.pdf", "안전관리법", date(2024, 1, 1)),
        ("안전관리법-2024-03-05.hwp", "안전관리법", date(2024, 3, 5)),
        ("도로교통법 (2024년).txt", "도로교통법", date(2024, 1, 1)),
        ("NFPA 70 2023.pdf", "NFPA 70", date(2023, 1, 1)),
        ("안전관리법_v2.pdf", "안전관리법", None),
        ("안전관리법 20241301.pdf", "안전관리법", None),
    ],
)
def test_law_version__reads_a_files_name(filename: str, series: str, effective: date | None) -> None:
    stem = filename.rpartition(".")[0]
    assert law_version(stem, filename, "") == LawVersion(series, effective, None)


def test_law_version__takes_the_said_day_before_the_files() -> None:
    found = law_version(ACT, "산업안전보건법_20230101.pdf", HEADER)
    assert found.effective_date == date(2024, 1, 1)


def test_law_version__takes_no_day_of_a_decree_or_of_no_calendar() -> None:
    assert law_version(ACT, "a.pdf", "시행령 2024. 1. 1.").effective_date is None
    assert law_version(ACT, "a.pdf", "시행 2024. 2. 30.").effective_date is None


def test_law_version__looks_at_the_head_only() -> None:
    assert law_version(ACT, "a.pdf", "글 " * 3000 + HEADER).effective_date is None


@pytest.mark.parametrize(
    "title",
    [
        "화학물질관리법", "화학물질관리법 일부개정", "화학물질관리법 [전부개정 2023. 1. 2.]", "화학물질관리법 제5판",
        "화학물질관리법(법률 제18420호)", "화학물질관리법 (타법개정)", "화학물질관리법_20220101",
        "2024년 화학물질관리법",
    ],
)  # fmt: skip
def test_series_name__is_the_same_for_all_versions(title: str) -> None:
    assert series_name(title) == "화학물질관리법"


@pytest.mark.parametrize("title", ["", "2024-01-01", "[시행 2024. 1. 1.]", "제정"])
def test_series_name__of_nothing_but_marks_is_none(title: str) -> None:
    assert series_name(title) is None


def test_series_name__keeps_what_belongs_to_the_name() -> None:
    for title in ("산업안전보건기준에 관한 규칙", "KGS FP112", "IEC 60079-10-1", "개정증보 안전 규정집"):
        assert series_name(title) == title
