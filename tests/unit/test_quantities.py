"""What `services.text.quantities` promises: units, limits, ranges, days, codes, and places in the text as it came."""

import gc
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.text.legible import legible
from services.text.quantities import quantities_of, read_quantities
from services.text.quantity import Quantity
from services.text.units import BY_NAME, names_of, read_unit

SEASONED = st.one_of(st.sampled_from("0123456789.,~-만억조년월일명%[]제조의 \n$①²½㎏"), st.characters())
ANY_TEXT = st.text(alphabet=SEASONED, max_size=120)


def only(text: str) -> Quantity:
    return read_quantities(text)[0]


def told(text: str) -> list[str]:
    """Give the places that are read as numbers, each once."""
    return list(dict.fromkeys(text[each.start : each.end] for each in read_quantities(text)))


@pytest.mark.parametrize(
    ("text", "unit", "dimension", "low"),
    [
        ("1.5 MPa", "MPa", "pressure", "1500000"),
        ("15 kgf/cm2", "kgf/cm2", "pressure", "1470997.5"),
        ("15㎏/㎠", "kgf/cm2", "pressure", "1470997.5"),
        ("-5℃", "°C", "temperature", "-5"),
        ("영하 5도", "°C", "temperature", "-5"),
        ("85㎡", "m2", "area", "85"),
        ("시속 36km", "km/h", "speed", "10"),
        ("20 mg/L", "mg/L", "mass/volume", "0.00002"),
        ("12-year-old", "age", "age", "12"),
        ("100 square metres", "m2", "area", "100"),
        ("30퍼센트 포인트", "%p", "point", "30"),
        ("50%", "%", "ratio", "0.5"),
        ("$1.5 million", "USD", "usd", "1500000"),
        ("₩5,000", "KRW", "krw", "5000"),
        ("열두 명", "person", "person", "12"),
        ("이십 일", "day", "time", "1728000"),
        ("3시간 30분", "h", "time", "12600"),
        ("100개념", "", "", "100"),
        ("5 in the morning", "", "", "5"),
    ],
)
def test_amounts__have_unit_and_value(text: str, unit: str, dimension: str, low: str) -> None:
    found = only(text)
    assert (found.kind, found.unit, found.dimension, found.form) == ("amount", unit, dimension, "exact")
    assert found.low == found.high == Decimal(low)


@pytest.mark.parametrize(
    ("text", "form", "low", "high", "closed"),
    [
        ("최대 100명", "at_most", None, 100, True),
        ("100명까지", "at_most", None, 100, True),
        ("100명 미만", "at_most", None, 100, False),
        ("100명을 넘지 않는", "at_most", None, 100, True),
        ("no more than 100 people", "at_most", None, 100, True),
        ("under 100 people", "at_most", None, 100, False),
        ("최소 100명", "at_least", 100, None, True),
        ("100명 초과", "at_least", 100, None, False),
        ("100명이 넘는", "at_least", 100, None, False),
        ("more than 100 people", "at_least", 100, None, False),
        ("100 people or more", "at_least", 100, None, True),
        ("최대 약 100명", "at_most", None, 100, True),
        ("10~20명", "range", 10, 20, True),
        ("10명에서 20명까지", "range", 10, 20, True),
        ("between 10 and 20 people", "range", 10, 20, True),
        ("from 10 to 20 people", "range", 10, 20, True),
        ("10명 이상 20명 이하", "range", 10, 20, True),
        ("10명 초과 20명 미만", "range", 10, 20, False),
    ],
)
def test_limits__are_read_from_the_words_around(
    text: str, form: str, low: int | None, high: int | None, closed: bool
) -> None:
    found = only(text)
    assert (found.form, found.low, found.high, found.dimension) == (form, low, high, "person")
    assert (found.low_closed and found.high_closed) is closed


@pytest.mark.parametrize(
    "text", ["10명에서 20명으로 늘었다", "rose from 10 people to 20 people", "10명, 20명", "20~10명"]
)
def test_changes_and_lists__are_no_ranges(text: str) -> None:
    assert {each.form for each in read_quantities(text)} == {"exact"}


@pytest.mark.parametrize(
    ("text", "approx"),
    [
        ("약 100명", True),
        ("계약 100명", False),
        ("100여 명", True),
        ("about 100", True),
        ("100명 남짓", True),
        ("100", False),
    ],
)
def test_approximations__are_marked_and_stripped(text: str, approx: bool) -> None:
    found = only(text)
    assert (found.approx, found.low) == (approx, 100)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024년 5월 1일", (2024, 5, 1)),
        ("2024. 5. 1.", (2024, 5, 1)),
        ("'24. 5. 1", (2024, 5, 1)),
        ("May 1st, 2024", (2024, 5, 1)),
        ("1 May 2024", (2024, 5, 1)),
        ("5월 1일", (None, 5, 1)),
        ("in March", (None, 3, None)),
        ("1973년", (1973, None, None)),
        ("기원전 200년", (-200, None, None)),
    ],
)
def test_days__are_read_in_all_forms(text: str, day: tuple[int | None, ...]) -> None:
    assert day in [each.day for each in read_quantities(text)]


@pytest.mark.parametrize(
    ("text", "minutes"), [("오후 3시 30분", {930}), ("3시", {180, 900}), ("3:30 pm", {930}), ("세 시 반에", {210, 930})]
)
def test_times_of_day__are_minutes_with_all_readings(text: str, minutes: set[int]) -> None:
    assert {each.low for each in read_quantities(text) if each.kind == "clock"} == minutes


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("KGS FP112, COVID-19, v1.2.3, 010-1234-5678", ["FP112", "COVID-19", "v1.2.3", "010-1234-5678"]),
        ("제12조의2제1항", ["제12조의2", "제1항"]),
        ("만일 천사가 두 회사를 세대 갈등에서", []),
        ("hundreds of people, May I?", []),
        ("문제 3을 보라", ["3"]),
        ("5억 2024년", ["5억", "2024년"]),
        ("값은 [1] 30[2]이다", ["30"]),
    ],
)
def test_numbers__are_told_from_words_and_codes(text: str, places: list[str]) -> None:
    assert told(text) == places


@given(ANY_TEXT)
def test_places__lie_in_the_text_in_order(text: str) -> None:
    last = 0
    for each in read_quantities(text):
        assert 0 <= each.start < each.end <= len(text)
        assert each.start >= last or each.end >= last
        last = each.start


@given(ANY_TEXT)
def test_legible__leads_back_to_the_text_as_it_came(text: str) -> None:
    plain = legible(text)
    places = [plain.place(at, at + 1) for at in range(len(plain.text))]
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("text", "shown", "meant"),
    [
        ("값 ５㎏f/㎠", "5kgf/cm2", "５㎏f/㎠"),
        ("a 1½ b", "1 1/2", "1½"),
        ("총[1]  30[2]명", "30명", "30[2]명"),
        ("\u1109\u1175\u11b8 7\u1106\u1167\u11bc", "7명", "7\u1106\u1167\u11bc"),
    ],
)
def test_legible__leads_a_piece_back_in_full(text: str, shown: str, meant: str) -> None:
    plain = legible(text)
    start, end = plain.place(plain.text.index(shown), plain.text.index(shown) + len(shown))
    assert text[start:end] == meant


def test_legible__is_plain_already_when_read_again() -> None:
    once = legible("１２㎏f/㎠, ½, 10⁵, m², 단어¹, ℃").text
    assert once == "12kgf/cm2, 1/2, 10^5, m2, 단어, °C"
    assert legible(once).text == once


def test_every_unit__is_found_behind_a_number_by_each_of_its_names() -> None:
    for unit in BY_NAME.values():
        for name in set(names_of(unit.name)) - {unit.name}:
            glued, spaced = read_unit(f"5{name}", 1), read_unit(f"5 {name}", 1)
            meant = [each.dimension for found in (glued, spaced) if found for each in found.units]
            assert unit.dimension in meant, (unit.name, name)


HOSTILE = ["1", "1,", "1,000", "1 , 2", "1.", "1-", "1~", "1:1", "1/2 ", "'1", "일이삼", "만 ", "십 백 천 만 "]
HOSTILE += ["a-1", "a", "[1", "²", "$", "제1조", "억1 ", "two hundred ", "half a ", "May ", "about ", "약 ", "\n"]
HOSTILE += ["http://", "rose from 1 to 2 ", "1년 ", "1 and ", "between 1 and ", "두 백 ", " ", "under 1 "]


@pytest.mark.slow
@pytest.mark.parametrize("piece", HOSTILE)
def test_reading__takes_time_in_proportion_to_the_text(piece: str) -> None:
    def took_s(chars: int) -> float:
        text = (piece * (chars // len(piece) + 1))[:chars]
        gc.disable()  # it would go through all that other tests have left, for seconds
        started = time.process_time()
        quantities_of.__wrapped__(text)
        took = time.process_time() - started
        gc.enable()
        return took

    # Twenty times the text may take a hundred times as long, on a busy machine; a quadratic reader takes four hundred.
    small = min(took_s(2_500) for _ in range(3))
    assert took_s(50_000) < 100 * small + 1
