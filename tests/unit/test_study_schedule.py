"""When a card comes again: steps of 3, 7 and 14 days, FSRS, and what a day is."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from db.study_quiz_rows import CardRow
from services.command.quiz_keys import QUIT, Answer, parse_answer
from services.kit.errors import SettingsError
from services.kit.review_settings import ReviewSettings
from services.kit.settings import load_settings
from services.study import fsrs_cards, steps
from services.study.review import planned
from services.study.schedule import Plan, Rating, day_start, postgres_zone

SEOUL, BERLIN = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)  # 01:30 of the 21st in Seoul
STEPS = (3, 7, 14)
AGAIN, HARD, GOOD, EASY = Rating


def days_until(plan: Plan, zone: ZoneInfo = SEOUL) -> int:
    assert plan.due_at is not None
    assert plan.due_at == day_start(plan.due_at, 0, zone)  # a midnight
    return (plan.due_at.astimezone(zone).date() - NOW.astimezone(zone).date()).days


def through(*ratings: Rating) -> Plan:
    """Review a card again and again at the same moment."""
    plan = None
    for rating in ratings:
        plan = steps.plan(plan, rating, NOW, STEPS, SEOUL)
    assert plan is not None
    return plan


@pytest.mark.parametrize(
    ("ratings", "days", "step", "lapses"),
    [
        ((GOOD,), 3, 1, 0),
        ((GOOD, GOOD), 7, 2, 0),
        ((GOOD, GOOD, GOOD), 14, 3, 0),
        ((EASY,), 7, 2, 0),
        ((HARD,), 1, 0, 0),
        ((GOOD, GOOD, HARD), 1, 2, 0),
        ((GOOD, GOOD, HARD, GOOD), 14, 3, 0),
        ((AGAIN,), 1, 0, 0),  # a first review that fails is no lapse: nothing was known before
        ((GOOD, GOOD, AGAIN), 1, 0, 1),
        ((GOOD, AGAIN, AGAIN, GOOD), 3, 1, 2),
    ],
)
def test_steps__go_3_7_14_and_what_is_not_known_comes_tomorrow(
    ratings: tuple[Rating, ...], days: int, step: int, lapses: int
) -> None:
    plan = through(*ratings)
    assert (days_until(plan), plan.step, plan.lapses, plan.graduated_at) == (days, step, lapses, None)


@pytest.mark.parametrize("ratings", [(GOOD,) * 4, (EASY, EASY), (GOOD, GOOD, EASY)])
def test_steps__graduate_after_the_last(ratings: tuple[Rating, ...]) -> None:
    plan = through(*ratings)
    assert (plan.due_at, plan.graduated_at, plan.scheduler) == (None, NOW, "steps")


def test_steps__take_a_graduate_back_that_is_forgotten() -> None:
    plan = through(GOOD, GOOD, GOOD, GOOD, AGAIN)
    assert (days_until(plan), plan.step, plan.lapses, plan.graduated_at) == (1, 0, 1, None)


def test_fsrs__gives_longer_days_the_better_a_card_is_known() -> None:
    due = [fsrs_cards.plan(None, rating, NOW, 0.9, 7).due_at for rating in Rating]
    assert all(moment is not None and moment >= NOW + timedelta(days=1) for moment in due)
    assert due == sorted(due, key=lambda moment: moment or NOW)
    assert due[-1] != due[0]
    plan, gaps, now = None, [], NOW
    for _ in range(4):
        plan = fsrs_cards.plan(plan, GOOD, now, 0.9, 7)
        assert plan.due_at is not None
        gaps.append(plan.due_at - now)
        now = plan.due_at
    assert gaps == sorted(gaps)
    assert gaps[-1] > 5 * gaps[0]
    assert plan is not None
    lapsed = fsrs_cards.plan(plan, AGAIN, now, 0.9, 7)
    assert lapsed.lapses == 1
    assert lapsed.due_at is not None
    assert lapsed.due_at - now < gaps[-1] / 5


def test_fsrs__gives_the_same_day_for_the_same_answers_and_earlier_where_more_is_to_be_kept() -> None:
    assert fsrs_cards.plan(None, GOOD, NOW, 0.9, 7) == fsrs_cards.plan(None, GOOD, NOW, 0.9, 7)
    strict, lax = (fsrs_cards.plan(None, EASY, NOW, share, 7).due_at for share in (0.97, 0.8))
    assert strict is not None
    assert lax is not None
    assert strict < lax


def card(scheduler: str, plan: Plan | None = None) -> CardRow:
    if plan is None:
        return CardRow(7, scheduler, False, None, None, 0, None, None, 0)
    return CardRow(7, scheduler, True, plan.scheduler, plan.state, plan.step, plan.due_at, None, plan.lapses)


@pytest.mark.parametrize("rating", [HARD, AGAIN])
@pytest.mark.parametrize("scheduler", ["steps", "fsrs"])
def test_unsure__comes_tomorrow_whoever_plans(scheduler: str, rating: Rating) -> None:
    settings = ReviewSettings(timezone="Asia/Seoul")
    plan, now = None, NOW
    for _ in range(3):
        plan = planned(card(scheduler, plan), GOOD, now, settings)
        now = plan.due_at or now
    unsure = planned(card(scheduler, plan), rating, now, settings, tomorrow=True)
    assert unsure.due_at is not None
    assert unsure.due_at <= day_start(now, 1, SEOUL)
    assert unsure.scheduler == scheduler


@pytest.mark.parametrize("change", [("steps", "fsrs"), ("fsrs", "steps")])
def test_topic__may_change_its_scheduler(change: tuple[str, str]) -> None:
    settings = ReviewSettings(timezone="Asia/Seoul")
    before, after = change
    plan = planned(card(before), GOOD, NOW, settings)
    follow = planned(card(after, plan), GOOD, NOW, settings)
    assert (follow.scheduler, follow.due_at is not None) == (after, True)


def test_day__begins_at_midnight_of_the_zone_also_where_the_clock_is_changed() -> None:
    assert day_start(NOW, 0, SEOUL) == datetime(2026, 11, 20, 15, tzinfo=UTC)
    assert day_start(NOW, 1, SEOUL) == datetime(2026, 11, 21, 15, tzinfo=UTC)
    assert day_start(NOW, 0, BERLIN) == datetime(2026, 11, 19, 23, tzinfo=UTC)
    spring = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # 01:30 in Berlin; at 2 it is 3
    assert day_start(spring, 1, BERLIN) - day_start(spring, 0, BERLIN) == timedelta(hours=23)


@pytest.fixture
def in_system_zone(request: pytest.FixtureRequest) -> Iterator[None]:
    """Put the process into a zone, as its machine would."""
    former = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield
    os.environ.pop("TZ")
    if former is not None:
        os.environ["TZ"] = former
    time.tzset()


@pytest.mark.parametrize(
    ("in_system_zone", "named"),
    [("Asia/Seoul", "<local>-09:00:00"), ("America/St_Johns", "<local>+03:30:00"), ("UTC", "<local>-00:00:00")],
    indirect=["in_system_zone"],
)
@pytest.mark.usefixtures("in_system_zone")
def test_postgres_zone__of_the_system_is_its_offset_counted_westwards(named: str) -> None:
    assert postgres_zone(NOW, None) == named


def test_postgres_zone__of_a_setting_is_its_name() -> None:
    assert postgres_zone(NOW, SEOUL) == "Asia/Seoul"


def test_settings__refuse_a_zone_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEODANG_REVIEW__TIMEZONE", "Asia/Soul")
    with pytest.raises(SettingsError, match=r"SEODANG_REVIEW__TIMEZONE.*Asia/Soul"):
        load_settings()


@pytest.mark.parametrize(
    ("word", "given"),
    [
        ("1", Answer(1)), (" 4 ", Answer(4)), ("u", Answer(None, "unsure")), ("U3", Answer(3, "unsure")),
        ("?", Answer(None, "dont_know")), ("q", QUIT), ("\x04", QUIT),
        ("5", None), ("0", None), ("", None), ("x", None), ("-1", None), ("²", None), ("３", None), ("u9", None),
    ],
)  # fmt: skip
def test_key__is_an_answer_or_is_asked_again(word: str, given: Answer | None) -> None:
    assert parse_answer(word, 4) == given
