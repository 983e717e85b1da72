"""What `services.text.signals` promises."""

from datetime import date

import pytest

from services.text.signals import HEAD_CHARS, law_articles, material_type, published_date

LAW = "가스안전 기준\n\n제1조(목적) 이 기준은 제3조에 따른다.\n제2조(정의) 뜻은 이렇다.\n제3조의2(범위) 모두."
THE_DAY = date(2024, 3, 5)


@pytest.mark.parametrize(
    "text",
    [
        "안전 점검 보고서\n2024년 3월 5일\n본문",
        "안전 점검 보고서\n2024. 3. 5.\n본문",
        "# Report\n\nMarch 5, 2024\n\nBody",
        "# Report\n\n5 March 2024\n\nBody",
        "[시행 2024. 3. 5.] [법률 제19999호, 2023. 1. 2., 일부개정]",
        "[법률 제19999호, 2024. 3. 5. 제정]",
        "작성일: 2024년 03월 05일",
        "발행일 2024-03-05",
        "**Date:** 2024-03-05",
        "| Published | 5th Mar. 2024 |",
        "Effective date: March 5th, 2024",
    ],
)
def test_published_date__is_read_beside_a_label_or_alone_near_the_start(text: str) -> None:
    assert published_date(text) == THE_DAY


@pytest.mark.parametrize(
    "text",
    [
        "On March 5, 2024 the valve failed.",
        "사고는 2024년 3월 5일에 일어났다.",
        "Date: 2024-13-05",
        "작성일: 2024년 2월 30일",
        "가" * HEAD_CHARS + "\n2024-03-05\n",
        "판 2024.3.5.1",
        "",
    ],
)
def test_published_date__is_none_in_any_other_place(text: str) -> None:
    assert published_date(text) is None


def test_published_date__prefers_a_label_to_a_place() -> None:
    assert published_date("2020-01-01\n본문\n시행일: 2024-03-05") == THE_DAY


def test_law_articles__are_listed_once_in_order() -> None:
    assert law_articles("제 12 조의2와 제3조, 제12조의2 및 제03조; 제7조각") == ("제12조의2", "제3조")


def test_material_type__is_law_when_articles_open_lines() -> None:
    assert material_type(LAW) == "law"


def test_material_type__is_open_when_articles_are_only_named() -> None:
    assert material_type("제1조, 제2조, 제3조에 따라\n제1조에 의하면 그렇다.\n제2조에 의하면\n제3조에 의하면") is None
