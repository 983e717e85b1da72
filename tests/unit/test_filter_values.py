"""Filters as they are given: one value, or a sentence that says what fits."""

from typing import Any

import pytest

from services.kit.errors import RequestError
from services.search.filters import KINDS, Filters, parse_filters
from services.web.ask_wire import FiltersIn


def test_filters__that_are_not_given_are_null() -> None:
    values = parse_filters({}, 7).values()
    assert values.pop("user_id") == 7
    assert set(values.values()) == {None}
    empty = {"material_type": [], "jurisdiction": "", "year": None, "collection": [""], "kind": [], "quotable": False}
    assert parse_filters(empty, 7) == Filters(7)


def test_filters__are_read_from_strings_and_lists() -> None:
    given = {"material_type": "law", "jurisdiction": ["KR", "US", "KR"], "year": "2024", "collection": ("a",)}
    filters = parse_filters({**given, "kind": ["pdf", "picture"], "quotable": True}, 1)
    assert filters.values() == {
        "user_id": 1,
        "material_types": ["law"],
        "without_types": None,
        "jurisdictions": ["KR", "US"],
        "year": 2024,
        "collections": ["a"],
        "media_types": ["application/pdf", "image/%"],
        "quotable": True,
    }


def test_filters__take_what_is_of_no_text_as_something_that_fits_nothing() -> None:
    assert parse_filters({"collection": ["a\0b", "\udcff"]}, 1).collections == ("a b", "?")


@pytest.mark.parametrize(
    "given",
    [
        {"colour": "red"},
        {"x" * 10_000: 1},
        {"material_type": 3},
        {"material_type": ["law", None]},
        {"material_type": {"a": 1}},
        {"collection": "x" * 201},
        {"collection": ["x"] * 101},
        {"year": "MMXXIV"},
        {"year": "9" * 5000},
        {"year": 0},
        {"year": 10_000},
        {"year": True},
        {"year": 2024.5},
        {"year": float("inf")},
        {"year": [2024]},
        {"kind": "film"},
        {"quotable": "yes"},
    ],
)
def test_filters__of_the_wrong_kind_are_the_callers_fault(given: dict[str, Any]) -> None:
    with pytest.raises(RequestError) as raised:
        parse_filters(given, 1)
    assert raised.value.status == 400
    assert raised.value.code in {"bad_filter", "unknown_filter"}
    assert len(str(raised.value)) < 500
    assert "Filters are material_type" in raised.value.hint


def test_filters__for_evidence_leave_out_what_no_model_quotes() -> None:
    filters = Filters(3, year=2024).for_evidence()
    assert (filters.user_id, filters.year, filters.quotable, filters.without_types) == (3, 2024, True, ("digest",))
    asked_for = Filters(3, material_types=("digest",)).for_evidence()
    assert (asked_for.quotable, asked_for.without_types) == (True, ())


def test_kinds__are_what_an_ask_takes_too() -> None:
    assert FiltersIn(kind=list(KINDS)).stored() == {"kind": list(KINDS)}
    assert FiltersIn(kind="pdf").stored() == {"kind": "pdf"}
    with pytest.raises(ValueError, match="kinds are pdf, word, hwp"):
        FiltersIn(kind="film")
