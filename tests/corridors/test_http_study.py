"""Study over HTTP: topics, questions, quizzes, explanations and reviews, with real requests on a real Postgres."""

from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import anyio
import httpx
import psycopg
import pytest

from services.kit.settings import Settings
from services.study.review import zone_of
from services.study.schedule import day_start
from tests.corridors.http_fixtures import api
from tests.db.study_bank import answer, ended_job, explained, finished_quiz, jobs, question, questions, topic
from tests.db.test_life import add

__all__ = ["api"]
pytestmark = pytest.mark.anyio
DELAYED_ACK_S = 0.04
"""So long a reply takes that is sent in two pieces, where the second waits for the first one's acknowledgement."""
HIDDEN = ("correct_choice", "explanation", "ai_explanation")
ASKED = {"text": "안전밸브는?", "choices": ["하나", "둘", "셋", "넷"], "correct_choice": 2}


async def got(api: httpx.AsyncClient, url: str, **params: Any) -> Any:
    response = await api.get(f"/api/study/{url}", params=params)
    assert response.status_code in (200, 202), response.text
    return response.json()


async def posted(api: httpx.AsyncClient, url: str, said: Any = None) -> Any:
    response = await api.post(f"/api/study/{url}", json=said)
    assert response.status_code < 300, response.text
    return response.json()


def refusal(response: httpx.Response) -> tuple[int, str]:
    error = response.json()["error"]
    assert error["message"]
    return response.status_code, error["code"]


# -- topics ------------------------------------------------------------------------------------------------------------


async def test_topics__are_made_changed_listed_and_deleted(api: httpx.AsyncClient) -> None:
    made = await posted(api, "topics", {"name": "산업안전", "description": "기사 필기"})
    url = made["url"]
    assert (made["name"], made["scheduler"], made["question_count"], made["documents"]) == ("산업안전", "steps", 0, [])
    patched = (await api.patch(url, json={"scheduler": "fsrs"})).json()
    assert (patched["scheduler"], patched["description"]) == ("fsrs", "기사 필기")
    await posted(api, "topics", {"name": "Law"})
    assert [row["name"] for row in (await got(api, "topics"))["topics"]] == ["Law", "산업안전"]
    assert refusal(await api.post("/api/study/topics", json={"name": "law"})) == (409, "name_taken")
    assert refusal(await api.patch(url, json={"name": "LAW"})) == (409, "name_taken")
    await posted(api, "questions", {"topic_id": made["id"], **ASKED})
    assert (await api.delete(url)).status_code == 204
    assert (await got(api, "questions"))["questions"] == []
    for response in (await api.get(url), await api.delete(url), await api.patch(url, json={"name": "x"})):
        assert refusal(response) == (404, "not_found")
    assert (await api.post("/api/study/topics", json={"name": "산업안전"})).status_code == 201


async def test_topic__is_tied_to_documents(api: httpx.AsyncClient, db: psycopg.Connection) -> None:
    url, document = f"/api/study/topics/{topic(db)}", add(db, title="지침")
    for _ in range(2):
        shown = (await api.put(f"{url}/documents/{document}")).json()
    assert shown["documents"] == [{"id": document, "title": "지침", "url": f"/api/documents/{document}"}]
    assert shown["document_count"] == 1
    assert refusal(await api.put(f"{url}/documents/404")) == (404, "not_found")
    assert refusal(await api.put(f"/api/study/topics/404/documents/{document}")) == (404, "not_found")
    assert (await api.delete(f"{url}/documents/{document}")).status_code == 204
    assert (await api.get(url)).json()["documents"] == []


# -- questions ---------------------------------------------------------------------------------------------------------


async def test_question__hides_what_gives_it_away_until_it_was_answered(
    api: httpx.AsyncClient, db: psycopg.Connection
) -> None:
    number = question(db, topic(db), explanation="압력이 높아서")
    explained(db, number)
    url = f"questions/{number}"
    shown = await got(api, url)
    assert [shown[name] for name in HIDDEN] == [None, None, None]
    assert (shown["revealed"], shown["choices"], shown["state"]) == (False, ["하나", "둘", "셋", "넷"], "unattempted")
    told = [2, "압력이 높아서", "둘이 맞다."]
    assert [(await got(api, url, reveal=True))[name] for name in HIDDEN] == told
    (listed,) = (await got(api, "questions"))["questions"]
    assert [listed[name] for name in HIDDEN] == [None, None, None]
    answer(db, number, "w")
    assert [(await got(api, url))[name] for name in HIDDEN] == told


async def test_questions__are_made_changed_and_deleted(api: httpx.AsyncClient, db: psycopg.Connection) -> None:
    one = topic(db)
    made = await posted(api, "questions", {"topic_id": one, **ASKED, "tags": ["압력"], "explanation": "왜냐하면"})
    assert (made["correct_choice"], made["revealed"], made["tags"]) == (2, True, ["압력"])
    explained(db, made["id"])
    changed = (await api.patch(made["url"], json={"explanation": None, "tags": []})).json()
    assert (changed["explanation"], changed["tags"], changed["ai_explanation_status"]) == (None, [], "ready")
    answer(db, made["id"], "r")
    said = {"choices": ["가", "나", "다"], "correct_choice": 3}
    changed = (await api.patch(made["url"], json=said)).json()
    assert (changed["choices"], changed["ai_explanation_status"]) == (["가", "나", "다"], "stale")
    assert changed["last_outcome"] == "right"  # answers are not marked again
    assert (await api.delete(made["url"])).status_code == 204
    assert refusal(await api.get(made["url"])) == (404, "not_found")
    assert refusal(await api.patch(made["url"], json={"text": "x"})) == (404, "not_found")
    assert db.execute("SELECT count(*) FROM study_answers").fetchone() == (1,)


@pytest.mark.parametrize(
    "wrong",
    [
        {"choices": ["하나"]}, {"choices": list("abcdef")}, {"correct_choice": 5}, {"correct_choice": 0},
        {"correct_choice": True}, {"correct_choice": "2"}, {"text": " "}, {"choices": ["하나", ""]}, {"colour": "red"},
        {"exam_round": 1, "exam_number": 301}, {"text": "x" * 10_001}, {"tags": [""]},
    ],
)  # fmt: skip
async def test_question__of_a_wrong_shape_is_the_callers_fault(
    wrong: dict[str, Any], api: httpx.AsyncClient, db: psycopg.Connection
) -> None:
    response = await api.post("/api/study/questions", json={"topic_id": topic(db), **ASKED, **wrong})
    assert refusal(response) == (400, "invalid_request")


async def test_question__takes_the_next_free_number_of_its_round(
    api: httpx.AsyncClient, db: psycopg.Connection
) -> None:
    one = topic(db)
    exam = {"topic_id": one, **ASKED, "exam_name": "기사", "exam_round": 3}
    numbers = [(await posted(api, "questions", exam))["exam_number"] for _ in range(2)]
    assert numbers == [1, 2]
    await posted(api, "questions", {**exam, "exam_number": 4})
    taken: list[int] = []

    async def another() -> None:
        taken.append((await posted(api, "questions", exam))["exam_number"])

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(another)
    assert sorted(taken) == [3, 5, 6, 7, 8]
    for number in range(9, 301):
        question(db, one, exam_name="기사", exam_round=3, exam_number=number)
    assert refusal(await api.post("/api/study/questions", json=exam)) == (409, "round_full")


async def test_question__of_a_known_source_key_is_409(api: httpx.AsyncClient, db: psycopg.Connection) -> None:
    said = {"topic_id": topic(db), **ASKED, "source_key": "2024-1-1"}
    await posted(api, "questions", said)
    assert refusal(await api.post("/api/study/questions", json=said)) == (409, "already_there")
    assert refusal(await api.post("/api/study/questions", json={**said, "topic_id": 404})) == (404, "not_found")


async def test_questions__are_filtered_and_paged(api: httpx.AsyncClient, db: psycopg.Connection) -> None:
    one, two = topic(db), topic(db, "전기")
    ids, other = questions(db, one, 5), question(db, two, tags=["접지"])
    explained(db, ids[0])
    answer(db, ids[1], "ww")
    assert await numbers(api, topic_id=one) == ids[::-1]
    assert await numbers(api, status="ready") == [ids[0]]
    assert await numbers(api, state="chronic_wrong") == [ids[1]]
    assert await numbers(api, tag="접지") == [other]
    page = await got(api, "questions", topic_id=one, limit=2)
    assert page["next"] == ids[3]
    assert await numbers(api, topic_id=one, limit=2, before=page["next"]) == [ids[2], ids[1]]
    assert refusal(await api.get("/api/study/questions", params={"state": "sleepy"})) == (400, "invalid_request")


async def numbers(api: httpx.AsyncClient, **params: Any) -> list[int]:
    return [row["id"] for row in (await got(api, "questions", **params))["questions"]]


# -- quizzes -----------------------------------------------------------------------------------------------------------


async def test_quiz__from_its_drawing_to_its_explanations(api: httpx.AsyncClient, db: psycopg.Connection) -> None:
    one = topic(db)
    questions(db, one, 5)
    quiz = await posted(api, "quizzes", {"topic_id": one, "mode": "quiz", "count": 4})
    assert (quiz["status"], quiz["question_count"], quiz["topic"]) == ("open", 4, "산업안전")
    ids = [item["question_id"] for item in quiz["questions"]]
    assert all(item[name] is None for item in quiz["questions"] for name in HIDDEN)
    replies = []
    for number, choice in zip(ids, (2, 1, "unsure", "dont_know"), strict=True):
        said = {"question_id": number, "choice": choice}
        replies.append(await posted(api, f"quizzes/{quiz['id']}/answers", said))
    assert [reply["outcome"] for reply in replies] == ["right", "wrong", "unsure", "dont_know"]
    assert {reply["correct_choice"] for reply in replies} == {2}
    assert replies[-1]["answered"] == 4
    assert jobs(db) == []
    finished = await posted(api, f"quizzes/{quiz['id']}/finish")
    counts = {name: finished[name] for name in ("status", "right", "wrong", "unsure", "dont_know")}
    assert counts == {"status": "finished", "right": 1, "wrong": 1, "unsure": 1, "dont_know": 1}
    assert jobs(db) == ids[1:]
    assert {row[0] for row in db.execute("SELECT urgency FROM study_question_jobs").fetchall()} == {100}
    assert (await posted(api, f"quizzes/{quiz['id']}/finish"))["finished_at"] == finished["finished_at"]
    assert jobs(db) == ids[1:]
    (listed,) = (await got(api, "quizzes", topic_id=one))["quizzes"]
    assert (listed["id"], listed["questions"]) == (quiz["id"], None)


async def test_answers__are_kept_once_and_only_while_the_quiz_is_open(
    api: httpx.AsyncClient, db: psycopg.Connection
) -> None:
    one = topic(db)
    two_choices = question(db, one, choice_3=None, choice_4=None)
    quiz = await posted(api, "quizzes", {"topic_id": one})
    url, foreign = f"/api/study/quizzes/{quiz['id']}/answers", question(db, one)
    assert refusal(await api.post(url, json={"question_id": foreign, "choice": 1})) == (404, "not_found")
    for wrong in (3, 0, 6, True, "1", "sure", None, 1.0):
        said = {"question_id": two_choices, "choice": wrong}
        assert refusal(await api.post(url, json=said)) == (400, "invalid_request"), wrong
    guess = await posted(api, f"quizzes/{quiz['id']}/answers",
                         {"question_id": two_choices, "choice": 2, "unsure": True})  # fmt: skip
    assert (guess["outcome"], guess["was_right"], guess["choice"]) == ("unsure", True, 2)
    said = {"question_id": two_choices, "choice": 1}
    assert refusal(await api.post(url, json=said)) == (409, "already_answered")
    await posted(api, f"quizzes/{quiz['id']}/finish")
    (again,) = (await posted(api, "quizzes", {"topic_id": one, "count": 1}))["questions"]
    assert again["question_id"] == foreign
    assert refusal(await api.post(url, json={**said, "question_id": foreign})) == (404, "not_found")
    assert refusal(await api.post("/api/study/quizzes/404/answers", json=said)) == (404, "not_found")
    assert refusal(await api.post("/api/study/quizzes/404/finish")) == (404, "not_found")


async def test_answer__to_a_finished_quiz_is_409(api: httpx.AsyncClient, db: psycopg.Connection) -> None:
    one = topic(db)
    number = question(db, one)
    quiz = await posted(api, "quizzes", {"topic_id": one})
    await posted(api, f"quizzes/{quiz['id']}/finish")
    said = {"question_id": number, "choice": 1}
    assert refusal(await api.post(f"{quiz['url']}/answers", json=said)) == (409, "quiz_finished")
    assert jobs(db) == []  # what was not answered is nobody's mistake


async def test_answers__of_one_question_at_once_leave_one(api: httpx.AsyncClient, db: psycopg.Connection) -> None:
    one = topic(db)
    number = question(db, one)
    quiz = await posted(api, "quizzes", {"topic_id": one, "mode": "quiz"})
    codes: list[int] = []

    async def another() -> None:
        response = await api.post(f"{quiz['url']}/answers", json={"question_id": number, "choice": 1})
        codes.append(response.status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(another)
    assert sorted(codes) == [200] + [409] * 9


async def test_quiz__of_nothing_is_409(api: httpx.AsyncClient, db: psycopg.Connection) -> None:
    one = topic(db)
    response = await api.post("/api/study/quizzes", json={"topic_id": one, "mode": "review"})
    assert refusal(response) == (409, "nothing_to_ask")
    assert refusal(await api.post("/api/study/quizzes", json={"topic_id": 404})) == (404, "not_found")
    assert refusal(await api.post("/api/study/quizzes", json={"mode": "exam"})) == (400, "invalid_request")


async def test_quiz__of_several_topics_is_drawn_evenly(api: httpx.AsyncClient, db: psycopg.Connection) -> None:
    topics = [topic(db, name) for name in ("가", "나")]
    for each in topics:
        questions(db, each, 6)
    quiz = await posted(api, "quizzes", {"topic_ids": topics, "count": 6})
    assert quiz["topic_id"] is None
    assert sorted(item["topic_id"] for item in quiz["questions"]) == [topics[0]] * 3 + [topics[1]] * 3


async def test_finished_quiz__read_back_fills_thirty_and_then_the_rest(
    api: httpx.AsyncClient, db: psycopg.Connection
) -> None:
    one = topic(db)
    ids = questions(db, one, 31)
    number = finished_quiz(db, one, ids)
    await got(api, f"quizzes/{number}")
    assert jobs(db) == ids[:30]
    await got(api, f"quizzes/{number}")
    assert jobs(db) == ids


async def test_finish__stands_when_nothing_can_be_enqueued(api: httpx.AsyncClient, db: psycopg.Connection) -> None:
    one = topic(db)
    number = question(db, one)
    quiz = await posted(api, "quizzes", {"topic_id": one})
    await posted(api, f"quizzes/{quiz['id']}/answers", {"question_id": number, "choice": 1})
    db.execute("ALTER TABLE study_question_jobs RENAME TO moved")
    assert (await posted(api, f"quizzes/{quiz['id']}/finish"))["status"] == "finished"
    assert (await got(api, f"quizzes/{quiz['id']}"))["questions"][0]["outcome"] == "wrong"
    db.execute("ALTER TABLE moved RENAME TO study_question_jobs")
    await got(api, f"quizzes/{quiz['id']}")
    assert jobs(db) == [number]


# -- explanations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["ready", "stale"])
async def test_click__on_a_stored_explanation_gives_it_with_its_evidence(
    status: str, api: httpx.AsyncClient, db: psycopg.Connection
) -> None:
    number = question(db, topic(db))
    explained(db, number, status)
    response = await api.post(f"/api/study/questions/{number}/explanation")
    shown = response.json()
    assert (response.status_code, shown["status"], shown["explanation"]) == (200, status, "둘이 맞다.")
    assert shown["evidence"] == [{"source_type": "document", "source_id": 1, "title": "지침", "snippet": "둘이 맞다"}]
    assert shown == await got(api, f"questions/{number}/explanation")
    assert jobs(db) == []


async def test_click__on_what_is_stored_is_quick_and_enqueues_nothing(
    api: httpx.AsyncClient, db: psycopg.Connection
) -> None:
    ids = questions(db, topic(db), 40)
    for number in ids:
        explained(db, number)
    took_s = []
    for number in ids:
        started = perf_counter()
        await posted(api, f"questions/{number}/explanation")
        took_s.append(perf_counter() - started)
    assert sorted(took_s)[len(took_s) // 2] < DELAYED_ACK_S
    assert db.execute("SELECT count(*) FROM study_question_jobs").fetchone() == (0,)


async def test_click__on_none_puts_one_job_at_the_head_of_the_line(
    api: httpx.AsyncClient, db: psycopg.Connection
) -> None:
    number = question(db, topic(db))
    replies: list[httpx.Response] = []

    async def click() -> None:
        replies.append(await api.post(f"/api/study/questions/{number}/explanation", json={}))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(click)
    assert {reply.status_code for reply in replies} == {202}
    assert len({reply.json()["job_id"] for reply in replies}) == 1
    assert {reply.headers["Location"] for reply in replies} == {f"/api/study/questions/{number}/explanation"}
    rows = db.execute("SELECT urgency, payload ->> 'asked_by' FROM study_question_jobs").fetchall()
    assert rows == [(0, "person")]
    waited = await api.get(replies[0].headers["Location"])
    assert (waited.status_code, waited.json()["status"]) == (202, "pending")


async def test_click__makes_what_was_prefetched_urgent(api: httpx.AsyncClient, db: psycopg.Connection) -> None:
    number = question(db, topic(db))
    db.execute("SELECT study_enqueue_explanation(%s)", [number])
    assert (await api.post(f"/api/study/questions/{number}/explanation")).status_code == 202
    assert db.execute("SELECT urgency FROM study_question_jobs").fetchall() == [(0,)]


@pytest.mark.parametrize("status", ["ready", "stale", "failed", "skipped", "none"])
async def test_again__has_it_made_anew(status: str, api: httpx.AsyncClient, db: psycopg.Connection) -> None:
    number = question(db, topic(db))
    explained(db, number, status, None if status == "none" else "vorher")
    former = ended_job(db, number, "failed", "guard_fail")
    response = await api.post(f"/api/study/questions/{number}/explanation", json={"again": True})
    shown = response.json()
    assert (response.status_code, shown["status"], shown["explanation"]) == (202, "pending", None)
    assert shown["job_id"] > former
    assert jobs(db) == [number]
    assert (await api.post(f"/api/study/questions/{number}/explanation", json={"again": 1})).status_code == 400


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [("failed", "guard_fail", "lands on 3, stored is 2"), ("skipped", "evidence_missing", "no evidence")],
)
async def test_click__on_what_could_not_be_explained_says_why(
    status: str, code: str, message: str, api: httpx.AsyncClient, db: psycopg.Connection
) -> None:
    number = question(db, topic(db))
    explained(db, number, status, None)
    ended_job(db, number, status, code, message)
    response = await api.post(f"/api/study/questions/{number}/explanation")
    assert refusal(response) == (409, code)
    assert (response.json()["error"]["message"], "again" in response.json()["error"]["hint"]) == (message, True)
    shown = await got(api, f"questions/{number}/explanation")
    assert (shown["status"], shown["error_code"], shown["error_message"]) == (status, code, message)
    assert jobs(db) == []


async def test_explanation__that_quotes_what_became_restricted_is_not_given(
    api: httpx.AsyncClient, db: psycopg.Connection
) -> None:
    number, document = question(db, topic(db)), add(db)
    explained(db, number)
    db.execute(
        """UPDATE study_questions SET ai_explanation_citations =
               jsonb_build_array(jsonb_build_object('source_type', 'document', 'source_id', %s::bigint))""",
        [document],
    )
    assert (await got(api, f"questions/{number}", reveal=True))["ai_explanation"] == "둘이 맞다."
    await api.patch(f"/api/documents/{document}", json={"license": {"restricted": True}})
    shown = await got(api, f"questions/{number}/explanation")
    assert (shown["explanation"], shown["evidence"], shown["error_code"]) == (None, [], "restricted")
    assert refusal(await api.post(f"/api/study/questions/{number}/explanation")) == (409, "restricted")
    assert (await got(api, f"questions/{number}", reveal=True))["ai_explanation"] is None
    again = await api.post(f"/api/study/questions/{number}/explanation", json={"again": True})
    assert (again.status_code, again.json()["status"]) == (202, "pending")


async def test_explanation__of_nothing_is_404(api: httpx.AsyncClient, db: psycopg.Connection) -> None:
    number = question(db, topic(db))
    await api.delete(f"/api/study/questions/{number}")
    for url in (f"/api/study/questions/{number}/explanation", "/api/study/questions/404/explanation"):
        assert refusal(await api.get(url)) == (404, "not_found")
        assert refusal(await api.post(url)) == (404, "not_found")


# -- review ------------------------------------------------------------------------------------------------------------


async def test_review__gives_todays_cards_by_topic_and_plans_what_was_rated(
    api: httpx.AsyncClient, db: psycopg.Connection, settings: Settings
) -> None:
    one, two = topic(db, "가"), topic(db, "나", "fsrs")
    first, second, later = question(db, one), question(db, two), question(db, one)
    today = day_start(datetime.now(UTC), 0, zone_of(settings.review))
    for number, due in ((first, today), (second, today)):
        db.execute("INSERT INTO study_cards (study_question_id, due_at) VALUES (%s, %s)", [number, due])
    answer(db, later, "ww")
    shown = await got(api, "review")
    assert shown["tabs"] == {"due_today": 2, "pending_review": 1, "chronic": 1, "regressed": 0, "mastered": 0}
    found = [(each["topic"], [card["question_id"] for card in each["cards"]]) for each in shown["topics"]]
    assert found == [("가", [first]), ("나", [second])]
    assert "correct_choice" not in shown["topics"][0]["cards"][0]
    assert (await got(api, "review", topic_id=two))["tabs"]["due_today"] == 1
    (pending,) = (await got(api, "review", tab="pending_review"))["topics"]
    assert [card["question_id"] for card in pending["cards"]] == [later]
    rated = await posted(api, f"review/{first}", {"rating": "good"})
    assert (rated["scheduler"], rated["step"], rated["graduated_at"]) == ("steps", 1, None)
    assert datetime.fromisoformat(rated["due_at"]) == day_start(datetime.now(UTC), 3, zone_of(settings.review))
    assert (await posted(api, f"review/{second}", {"rating": "easy"}))["scheduler"] == "fsrs"
    assert (await got(api, "review"))["topics"] == []
    assert refusal(await api.post("/api/study/review/404", json={"rating": "good"})) == (404, "not_found")
    assert refusal(await api.post(f"/api/study/review/{first}", json={"rating": "perfect"})) == (400, "invalid_request")
