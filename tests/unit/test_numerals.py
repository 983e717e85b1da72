"""What the readers of single numbers promise: digits with scales, and words."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.text.number_words import english_value, korean_value, ordinal_value
from services.text.numerals import MOST_DIGITS, read_digits, read_english

SINO_DIGITS, SINO_PLACES = "영일이삼사오육칠팔구", ["", "십", "백", "천"]
WORDS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen
"""
ONES = WORDS.split()
TEN_WORDS = "- - twenty thirty forty fifty sixty seventy eighty ninety"
TENS = TEN_WORDS.split()
PLACES = ((3, "조"), (2, "억"), (1, "만"), (0, ""))


@pytest.mark.parametrize(
    ("text", "value", "rest"),
    [
        ("1,234,567.8명", "1234567.8", "명"),
        ("1,23", "1", ",23"),
        ("12,3456", "12", ",3456"),
        (".5 mm", "0.5", " mm"),
        ("3억 2천만 명", "320000000", " 명"),
        ("1만 2,000명", "12000", "명"),
        ("1만 2000명", "12000", "명"),
        ("5억 2024년", "500000000", " 2024년"),
        ("5억 3,000원", "500003000", "원"),
        ("2천5백만 원", "25000000", " 원"),
        ("12억3,456만7,890", "1234567890", ""),
        ("1.5조 원", "1500000000000", " 원"),
        ("3조각", "3", "조각"),
        ("3만큼", "3", "만큼"),
        ("5경기", "5", "경기"),
        ("1.5 million", "1500000", ""),
        ("3-million", "3000000", ""),
        ("3k words", "3000", " words"),
        ("5M", "5000000", ""),
        ("5 Mexicans", "5", " Mexicans"),
        ("5kg", "5", "kg"),
        ("1/2", "0.5", ""),
        ("1 1/2 cups", "1.5", " cups"),
        ("2 and a half", "2.5", ""),
        ("10^5", "100000", ""),
        ("1.5 × 10^3".replace("×", "x"), "1500", ""),
        ("4분의 1", "0.25", ""),
        ("30분의", "30", "분의"),
    ],
)
def test_read_digits__takes_in_what_belongs_to_the_number(text: str, value: str, rest: str) -> None:
    found = read_digits(text, 0)
    assert found is not None
    assert found.value == Decimal(value)
    assert text[found.end :] == rest


@pytest.mark.parametrize(
    ("text", "step", "digits"),
    [("1,234", "1", 4), ("1.50", "0.01", 3), ("123만", "10000", 3), ("1.2 million", "100000", 2), ("0.05", "0.01", 1)],
)
def test_read_digits__say_how_precisely_a_number_is_written(text: str, step: str, digits: int) -> None:
    found = read_digits(text, 0)
    assert found is not None
    assert (found.step, found.digits) == (Decimal(step), digits)


def test_read_digits__refuse_what_is_longer_than_any_quantity() -> None:
    assert read_digits("9" * MOST_DIGITS, 0) is not None
    assert read_digits("9" * (MOST_DIGITS + 1), 0) is None
    assert read_digits("없음", 0) is None


@given(st.integers(1, 10**16 - 1))
def test_scaled_numbers__are_read_as_they_are_written_out(number: int) -> None:
    parts = [
        (number // 10 ** (4 * place) % 10**4, scale) for place, scale in ((3, "조"), (2, "억"), (1, "만"), (0, ""))
    ]
    for joint in ("", " "):
        text = joint.join(f"{part:,}{scale}" if part > 99 else f"{part}{scale}" for part, scale in parts if part)
        found = read_digits(text, 0)
        assert found is not None
        plain = [part for part, scale in parts if part and not scale]
        if joint and plain and plain[0] < 100 and found.end < len(text):
            continue  # "1만 5" are two numbers, "1만 5,000" is one
        if joint and plain and 99 < plain[0] < 1000 and found.end < len(text):
            continue
        assert found.value == number


@given(st.integers(1, 9999))
def test_korean_value__reads_sino_korean(number: int) -> None:
    written = ""
    for place, digit in enumerate(reversed(str(number))):
        if digit != "0":
            head = "" if digit == "1" and place else SINO_DIGITS[int(digit)]
            written = head + SINO_PLACES[place] + written
    assert korean_value(written) == number


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("열두", 12),
        ("스무", 20),
        ("스물다섯", 25),
        ("아흔아홉", 99),
        ("만", 10_000),
        ("이억 삼천만", 230_000_000),
        ("백열", 110),
    ],
)
def test_korean_value__reads_native_and_large_numbers(word: str, value: int) -> None:
    assert korean_value(word) == value


@given(st.integers(0, 999))
def test_english_value__reads_number_words(number: int) -> None:
    hundreds, rest = divmod(number, 100)
    small = ONES[rest] if rest < 20 else f"{TENS[rest // 10]}-{ONES[rest % 10]}".removesuffix("-zero")
    text = small if not hundreds else f"{ONES[hundreds]} hundred" + (f" and {small}" if rest else "")
    assert english_value(text) == (number, False)
    found = read_english(text, 0)
    assert found is not None
    assert (found.value, found.end) == (number, len(text))


@pytest.mark.parametrize(
    ("phrase", "value", "fraction"),
    [
        ("two million five hundred thousand and six", "2500006", False),
        ("a dozen", "12", False),
        ("half a million", "500000", False),
        ("three quarters", "0.75", True),
        ("half", "0.5", True),
    ],
)
def test_english_value__reads_scales_and_fractions(phrase: str, value: str, fraction: bool) -> None:
    assert english_value(phrase) == (Decimal(value), fraction)


def test_ordinal_value__reads_ordinals() -> None:
    assert [ordinal_value(word) for word in ("first", "twelfth", "twenty-first", "Ninetieth")] == [1, 12, 21, 90]
