"""Soft boosts: off they change nothing, on they change little."""

from datetime import date, timedelta

import pytest

from services.kit.settings import SearchSettings
from services.search.boosts import boost, gain
from services.search.hit import Hit

TODAY = date(2026, 7, 1)


def hit(number: int, score: float, kind: str | None = None, age_days: int | None = None) -> Hit:
    published = None if age_days is None else TODAY - timedelta(days=age_days)
    return Hit(number, number, "t", 1, 0, 1, "x", score, kind, None, published, False)


def test_boost__is_off_as_shipped() -> None:
    hits = [hit(1, 0.5, "law", 0), hit(2, 0.9, "news", 9)]
    assert boost(hits, SearchSettings(), TODAY) == hits


def test_boost__of_what_ages_halves_with_its_days() -> None:
    settings = SearchSettings(freshness={"news": 30.0})
    gains = [gain(hit(1, 1, "news", days), settings, TODAY) for days in (0, 30, 60, -5)]
    assert gains == pytest.approx([0.05, 0.025, 0.0125, 0.05])
    assert gain(hit(1, 1, "news"), settings, TODAY) == 0
    assert gain(hit(1, 1, "law", 0), settings, TODAY) == 0


def test_boost__decides_only_between_what_fits_about_as_well() -> None:
    settings = SearchSettings(freshness={"news": 30.0})
    near = [hit(1, 1.00, "news", 900), hit(2, 0.99, "news", 1), hit(3, 0.90, "news", 0)]
    assert [each.chunk_id for each in boost(near, settings, TODAY)] == [2, 1, 3]


def test_boost__has_a_cap_and_keeps_ties_in_order() -> None:
    settings = SearchSettings(freshness={"law": 30.0}, type_boost={"law": 0.04, "manual": 0.01})
    assert gain(hit(1, 1, "law", 0), settings, TODAY) == 0.05
    tied = [hit(2, 1.0), hit(1, 1.0)]
    assert [each.chunk_id for each in boost(tied, settings, TODAY)] == [2, 1]
