"""What `services.document.digest_slot` promises: the hour of a digest, in any zone and through summer time."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.document.digest_slot import due_slot, is_scheduled, last_slot
from services.kit.errors import SettingsError
from services.kit.settings import load_settings

SEVEN = "0 7 * * *"
SEOUL, BERLIN = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own zone is Berlin's."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("now", "slot"),
    [
        ("2026-11-21 07:00:00+09:00", "2026-11-21 07:00+09:00"),
        ("2026-11-21 06:59:59.999999+09:00", "2026-11-20 07:00+09:00"),
        ("2026-11-21 00:30+00:00", "2026-11-21 07:00+09:00"),
    ],
)
def test_last_slot__is_the_last_hour_on_the_clock_of_the_zone(now: str, slot: str) -> None:
    assert last_slot(SEVEN, SEOUL, at(now)) == at(slot)


BERLINS = [
    ("2026-10-25 06:59:59+01:00", "2026-10-24 07:00+02:00"),  # summer time ended meanwhile
    ("2026-10-25 07:00+01:00", "2026-10-25 07:00+01:00"),
    ("2026-03-29 12:00+02:00", "2026-03-29 07:00+02:00"),
]


@pytest.mark.parametrize(("now", "slot"), BERLINS)
def test_last_slot__keeps_to_the_clock_when_summer_time_begins_or_ends(now: str, slot: str) -> None:
    assert last_slot(SEVEN, BERLIN, at(now)) == at(slot)


@pytest.mark.parametrize(("now", "slot"), BERLINS)
@pytest.mark.usefixtures("berlin")
def test_last_slot__does_so_in_the_zone_of_the_system(now: str, slot: str) -> None:
    assert last_slot(SEVEN, None, at(now)) == at(slot)


@pytest.mark.parametrize("zone", [BERLIN, None])
@pytest.mark.usefixtures("berlin")
def test_last_slot__comes_once_where_the_hour_comes_twice(zone: ZoneInfo | None) -> None:
    minutes = [f"2026-10-25 {hour:02}:{minute:02}+00:00" for hour in range(4) for minute in (15, 45)]
    slots = {last_slot("30 2 * * *", zone, at(minute)) for minute in minutes}
    assert slots == {at("2026-10-24 02:30+02:00"), at("2026-10-25 02:30+02:00")}


def test_due_slot__makes_up_for_the_last_one_and_for_nothing_older_than_a_day() -> None:
    monday = "0 7 * * 1"
    assert due_slot(monday, SEOUL, at("2026-11-24 06:00+09:00")) == at("2026-11-23 07:00+09:00")
    assert due_slot(monday, SEOUL, at("2026-11-24 07:01+09:00")) is None


def test_is_scheduled__tells_the_hour_from_a_moment_that_a_person_chose() -> None:
    assert is_scheduled(SEVEN, SEOUL, at("2026-11-21 07:00+09:00"))
    assert not is_scheduled(SEVEN, SEOUL, at("2026-11-21 07:00:00.5+09:00"))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"timezone": "Asia/Nowhere"}, "SEODANG_DIGEST__TIMEZONE.*write one such as Asia/Seoul.*tzdata"),
        ({"timezone": "../etc/passwd"}, "SEODANG_DIGEST__TIMEZONE"),
        ({"cron": "0 7 * *"}, "SEODANG_DIGEST__CRON.*write one such as 0 7"),
        ({"cron": "0 0 7 * * *"}, "SEODANG_DIGEST__CRON.*write five"),
        ({"cron": "0 0 30 2 *"}, "SEODANG_DIGEST__CRON"),
    ],
)
def test_settings__of_a_time_that_there_is_not_say_what_to_write(values: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load_settings(digest=values)
