"""How well a question is known, what is to be reviewed, what a quiz draws, and who needs an explanation."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from db.errors import Refused
from db.pool import Database, Session
from services.kit.errors import RequestError
from services.kit.review_settings import ReviewSettings
from services.study import prefetch, quiz, review
from services.study.quiz import Said, Wanted
from services.study.schedule import Rating, day_start
from tests.db.study_bank import answer, ended_job, explained, finished_quiz, jobs, question, questions, topic

pytestmark = pytest.mark.anyio
SETTINGS = ReviewSettings(timezone="Asia/Seoul")
OWNER = 1
NOW = datetime.now(UTC)


def state_of(db: psycopg.Connection, question_id: int) -> str:
    row = db.execute("SELECT state FROM study_learning_state WHERE study_question_id = %s", [question_id]).fetchone()
    assert row is not None
    return str(row[0])


# -- states and tabs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "state"),
    [
        ("", "unattempted"),
        ("u", "unsure"), ("d", "unsure"), ("ru", "unsure"), ("rrd", "unsure"), ("uu", "unsure"), ("wu", "unsure"),
        ("ww", "chronic_wrong"), ("www", "chronic_wrong"), ("wd", "chronic_wrong"), ("dww", "chronic_wrong"),
        ("rwww", "chronic_wrong"),
        ("w", "unstable"), ("rw", "unstable"), ("rrw", "unstable"),  # one wrong alone is not regressed
        ("rww", "regressed"), ("rrww", "regressed"), ("ruw", "regressed"),
        ("wrr", "recovered"), ("urr", "recovered"), ("wwwrr", "recovered"),
        ("rrr", "stable"), ("wrrr", "stable"), ("wwwrrr", "stable"),
        ("r", "unstable"), ("rr", "unstable"), ("wr", "unstable"), ("rwr", "unstable"), ("wwr", "unstable"),
    ],
)  # fmt: skip
async def test_state__follows_from_the_last_three_answers(history: str, state: str, db: psycopg.Connection) -> None:
    number = question(db, topic(db))
    answer(db, number, history)
    assert state_of(db, number) == state


async def test_state__does_not_count_a_lucky_guess(db: psycopg.Connection) -> None:
    number = question(db, topic(db))
    answer(db, number, "rr")
    db.execute("INSERT INTO study_answers (study_question_id, choice, outcome) VALUES (%s, 2, 'unsure')", [number])
    assert state_of(db, number) == "unsure"


async def test_state__stays_when_another_choice_becomes_right(db: psycopg.Connection) -> None:
    number = question(db, topic(db))
    answer(db, number, "rrr")
    db.execute("UPDATE study_questions SET correct_choice = 3 WHERE id = %s", [number])
    assert state_of(db, number) == "stable"


async def tabs(pool: Database, topic_id: int | None = None) -> dict[str, int]:
    counts, _ = await review.cards_of(pool, OWNER, topic_id, "due_today", 100, SETTINGS)
    return counts


async def listed(pool: Database, tab: str) -> list[int]:
    _, cards = await review.cards_of(pool, OWNER, None, tab, 100, SETTINGS)
    return [card.id for card in cards]


@pytest.mark.parametrize(
    ("history", "tab"),
    [
        ("", []), ("r", []), ("w", ["pending_review"]), ("u", ["pending_review"]),
        ("ww", ["pending_review", "chronic"]), ("rww", ["pending_review", "regressed"]), ("wrr", []),
        ("rrr", ["mastered"]),
    ],
)  # fmt: skip
async def test_tabs__hold_what_has_no_card_yet(
    history: str, tab: list[str], db: psycopg.Connection, pool: Database
) -> None:
    answer(db, question(db, topic(db)), history)
    assert [name for name, count in (await tabs(pool)).items() if count] == tab


async def test_review__makes_the_card_that_was_waited_for(db: psycopg.Connection, pool: Database) -> None:
    number = question(db, topic(db))
    answer(db, number, "w")
    assert await listed(pool, "pending_review") == [number]
    assert db.execute("SELECT count(*) FROM study_cards").fetchone() == (0,)
    await rated(pool, number, Rating.GOOD)
    assert (await tabs(pool))["pending_review"] == 0
    assert (await tabs(pool))["due_today"] == 0


async def rated(pool: Database, number: int, rating: Rating, now: datetime = NOW) -> review.Plan:
    async with pool.session() as session, session.transaction():
        plan = await review.rate(session, OWNER, number, rating, SETTINGS, now)
    assert plan is not None
    return plan


async def test_due_today__ends_at_midnight_of_the_settings_zone(db: psycopg.Connection, pool: Database) -> None:
    one = topic(db)
    zone = review.zone_of(SETTINGS)
    last, first = day_start(NOW, 1, zone) - timedelta(seconds=1), day_start(NOW, 1, zone)
    for due in (last, first):
        db.execute("INSERT INTO study_cards (study_question_id, due_at) VALUES (%s, %s)", [question(db, one), due])
    (today,) = await listed(pool, "due_today")
    row = db.execute("SELECT due_at FROM study_cards WHERE study_question_id = %s", [today]).fetchone()
    assert row == (last,)


@pytest.mark.parametrize("scheduler", ["steps", "fsrs"])
async def test_rate__keeps_every_review_and_the_card_once(
    scheduler: str, db: psycopg.Connection, pool: Database
) -> None:
    number, now = question(db, topic(db, scheduler=scheduler)), NOW
    dues = []
    for rating in (Rating.GOOD, Rating.GOOD, Rating.AGAIN):
        plan = await rated(pool, number, rating, now)
        assert plan.due_at is not None
        dues.append(plan.due_at)
        now = plan.due_at
    rows = db.execute("SELECT rating, scheduler, due_before, due_after FROM study_reviews ORDER BY id").fetchall()
    assert [row[0] for row in rows] == ["good", "good", "again"]
    assert {row[1] for row in rows} == {scheduler}
    assert [row[3] for row in rows] == dues
    assert [row[2] for row in rows] == [None, *dues[:-1]]
    card = db.execute("SELECT scheduler, due_at, lapses, last_reviewed_at FROM study_cards").fetchall()
    assert card == [(scheduler, dues[-1], 1, dues[-2])]


# -- what a quiz does to the schedule ----------------------------------------------------------------------------------


async def asked(pool: Database, topic_id: int, mode: str, choice: int | None, said: str | None = None) -> None:
    """Take a quiz of one question."""
    number = await quiz.make_quiz(pool, OWNER, Wanted((topic_id,), mode), SETTINGS)
    _, (item,) = await quiz.read(pool, OWNER, number, SETTINGS)
    await quiz.answer(pool, OWNER, number, item.id, Said(choice, said), SETTINGS)


@pytest.mark.parametrize(
    ("mode", "has_card", "due_in_days", "choice", "moved"),
    [
        ("quiz", False, None, 1, False),  # a card begins with a review only
        ("quiz", True, 3, 1, True),
        ("quiz", True, 3, 2, False),  # known before it was due: says little
        ("quiz", True, 0, 2, True),
        ("wrong_only", True, 3, 1, True),
        ("review", False, None, 2, True),
        ("review", True, 0, 2, True),
        ("cram", True, 0, 1, False),
        ("cram", True, 0, 2, False),
        ("cram", False, None, 1, False),
    ],
)
async def test_answer__moves_cards_but_not_in_cramming(
    mode: str, has_card: bool, due_in_days: int, choice: int, moved: bool, db: psycopg.Connection, pool: Database
) -> None:
    one = topic(db)
    number = question(db, one)
    answer(db, number, "w")
    if has_card:
        due = day_start(NOW, due_in_days, review.zone_of(SETTINGS))
        db.execute("INSERT INTO study_cards (study_question_id, due_at) VALUES (%s, %s)", [number, due])
    await asked(pool, one, mode, choice)
    assert db.execute("SELECT count(*) FROM study_reviews").fetchone() == (int(moved),)


@pytest.mark.parametrize("scheduler", ["steps", "fsrs"])
@pytest.mark.parametrize(("said", "rating"), [("unsure", "hard"), ("dont_know", "again")])
async def test_unsure__comes_tomorrow(
    scheduler: str, said: str, rating: str, db: psycopg.Connection, pool: Database
) -> None:
    one = topic(db, scheduler=scheduler)
    number = question(db, one)
    answer(db, number, "w")
    await asked(pool, one, "review", None, said)
    row = db.execute("SELECT rating, due_after FROM study_reviews").fetchone()
    assert row is not None
    assert row[0] == rating
    assert row[1] == day_start(datetime.now(UTC), 1, review.zone_of(SETTINGS))


# -- what a quiz draws -------------------------------------------------------------------------------------------------


async def drawn(pool: Database, wanted: Wanted) -> list[int]:
    number = await quiz.make_quiz(pool, OWNER, wanted, SETTINGS)
    _, items = await quiz.read(pool, OWNER, number, SETTINGS)
    assert [item.position for item in items] == list(range(1, len(items) + 1))
    return [item.id for item in items]


async def topics_of(db: psycopg.Connection, ids: list[int]) -> list[int]:
    rows = db.execute("SELECT id, study_topic_id FROM study_questions").fetchall()
    return sorted(Counter(dict(rows)[each] for each in ids).values())


async def test_quiz__draws_evenly_over_topics_and_fills_up(db: psycopg.Connection, pool: Database) -> None:
    for name, most in (("가", 2), ("나", 10), ("다", 30)):
        questions(db, topic(db, name), most)
    ids = await drawn(pool, Wanted(count=12))
    assert await topics_of(db, ids) == [2, 5, 5]
    assert len(await drawn(pool, Wanted())) == 20
    assert len(await drawn(pool, Wanted(count=300))) == 42


async def test_quiz__asks_first_what_was_asked_least(db: psycopg.Connection, pool: Database) -> None:
    one = topic(db)
    ids = questions(db, one, 6)
    for number in ids[:4]:
        answer(db, number, "r")
    assert sorted(await drawn(pool, Wanted((one,), count=2))) == ids[4:]


async def test_review__draws_twenty_of_every_topic_longest_due_first(db: psycopg.Connection, pool: Database) -> None:
    first, second = topic(db, "가"), topic(db, "나")
    ids = questions(db, first, 25)
    for late, number in enumerate(ids):
        due = NOW - timedelta(days=1 + late)
        db.execute("INSERT INTO study_cards (study_question_id, due_at) VALUES (%s, %s)", [number, due])
    for number in questions(db, second, 3):
        answer(db, number, "w")
    questions(db, second, 5)  # never asked: nothing to review
    reviewed = await drawn(pool, Wanted(mode="review"))
    assert set(ids[5:]) < set(reviewed)
    assert await topics_of(db, reviewed) == [3, 20]


async def test_wrong_only__asks_what_was_wrong_the_last_time(db: psycopg.Connection, pool: Database) -> None:
    one = topic(db)
    ids = dict(zip(("wr", "rw", "w", "wu", "r", ""), questions(db, one, 6), strict=True))
    for history, number in ids.items():
        answer(db, number, history)
    wrong = {ids["rw"], ids["w"]}
    assert set(await drawn(pool, Wanted((one,), "wrong_only"))) == wrong
    assert set(await drawn(pool, Wanted((one,), "cram", wrong_only=True))) == wrong


@pytest.mark.parametrize("mode", quiz.MODES)
async def test_quiz__of_nothing_says_what_to_do(mode: str, pool: Database, db: psycopg.Connection) -> None:
    number = topic(db)
    with pytest.raises(RequestError) as caught:
        await quiz.make_quiz(pool, OWNER, Wanted((number,), mode), SETTINGS)
    assert (caught.value.code, bool(caught.value.hint)) == ("nothing_to_ask", True)
    with pytest.raises(RequestError, match="no topic 404"):
        await quiz.make_quiz(pool, OWNER, Wanted((404,), mode), SETTINGS)


async def test_quiz__leaves_out_what_is_deleted(db: psycopg.Connection, pool: Database) -> None:
    one = topic(db)
    kept, gone = questions(db, one, 2)
    await pool.value("delete_study_question", user_id=OWNER, id=gone)
    assert await drawn(pool, Wanted((one,))) == [kept]
    await pool.value("delete_study_topic", user_id=OWNER, id=one)
    with pytest.raises(RequestError):
        await drawn(pool, Wanted())


# -- who needs an explanation ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "text", "needs"),
    [
        ("none", None, True), ("failed", None, True), ("failed", "kept", True), ("none", "kept", True),
        ("pending", None, False), ("pending", "kept", False), ("stale", "kept", False), ("stale", None, False),
        ("skipped", None, False), ("skipped", "kept", False), ("ready", "kept", False),
    ],
)  # fmt: skip
async def test_needs__is_none_or_failed_and_nothing_else(
    status: str, text: str | None, needs: bool, db: psycopg.Connection, pool: Database
) -> None:
    one = topic(db)
    number = question(db, one)
    explained(db, number, status, text)
    made = finished_quiz(db, one, [number])
    assert await prefetch.back_fill(pool, OWNER, made, 30, 5.0) == int(needs)
    assert jobs(db) == [number] * needs


@pytest.mark.parametrize(
    ("ended", "needs"),
    [
        ([("failed", "guard_fail")], False),
        ([("skipped", "evidence_missing")], False),
        ([("failed", "evidence_missing")], False),
        ([("failed", "llm_timeout")], True),
        ([("failed", "parse_fail")], True),
        ([("failed", "unknown")], True),
        ([("failed", "guard_fail"), ("failed", "llm_timeout")], True),  # the latest counts
        ([("failed", "llm_timeout"), ("failed", "guard_fail")], False),
    ],
)
async def test_needs__leaves_out_what_would_end_the_same_way(
    ended: list[tuple[str, str]], needs: bool, db: psycopg.Connection, pool: Database
) -> None:
    one = topic(db)
    number = question(db, one, ai_explanation_status="failed")
    for status, code in ended:
        ended_job(db, number, status, code)
    made = finished_quiz(db, one, [number])
    assert await prefetch.back_fill(pool, OWNER, made, 30, 5.0) == int(needs)


@pytest.mark.parametrize(("letter", "needs"), [("w", True), ("u", True), ("d", True), ("r", False)])
async def test_needs__what_was_right_does_not(letter: str, needs: bool, db: psycopg.Connection, pool: Database) -> None:
    one = topic(db)
    made = finished_quiz(db, one, [question(db, one)], letter)
    assert await prefetch.back_fill(pool, OWNER, made, 30, 5.0) == int(needs)


async def test_back_fill__of_a_held_queue_gives_up_and_the_next_reading_makes_up_for_it(
    db: psycopg.Connection, pool: Database, dsn: str
) -> None:
    one = topic(db)
    made = finished_quiz(db, one, questions(db, one, 2))
    with psycopg.connect(dsn) as other:
        other.execute("LOCK TABLE study_question_jobs")
        row, items = await quiz.read(pool, OWNER, made, SETTINGS)
        assert (row.status, len(items)) == ("finished", 2)
    assert jobs(db) == []
    await quiz.read(pool, OWNER, made, SETTINGS)
    assert len(jobs(db)) == 2


async def test_finish__stands_where_the_queue_refuses(
    db: psycopg.Connection, pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = topic(db)
    question(db, one)
    number = await quiz.make_quiz(pool, OWNER, Wanted((one,)), SETTINGS)
    _, (item,) = await quiz.read(pool, OWNER, number, SETTINGS)
    await quiz.answer(pool, OWNER, number, item.id, Said(1), SETTINGS)
    db.execute("ALTER TABLE study_question_jobs ADD CONSTRAINT broken CHECK (false) NOT VALID")
    finished = await quiz.finish(pool, OWNER, number)
    assert (finished.status, finished.wrong_answers) == ("finished", 1)
    assert jobs(db) == []
    assert db.execute("SELECT ai_explanation_status FROM study_questions").fetchone() == ("none",)
    db.execute("ALTER TABLE study_question_jobs DROP CONSTRAINT broken")
    await quiz.read(pool, OWNER, number, SETTINGS)
    assert jobs(db) == [item.id]

    async def lost(*_: object, **__: object) -> None:
        raise Refused("anything")

    monkeypatch.setattr(Session, "many", lost)
    assert await prefetch.back_fill(pool, OWNER, number, 30, 5.0) == 0
