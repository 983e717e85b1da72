"""The tables of the question bank: every rule refuses by its name, whoever writes."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import errors

QUESTION = "study_topic_id, text, choice_1, choice_2, correct_choice"


@pytest.fixture
def bank(db: psycopg.Connection) -> psycopg.Connection:
    """A topic, a question with four choices, a quiz that asks it, and a second user with a topic of theirs."""
    db.execute("INSERT INTO users (id, name) VALUES (2, 'guest')")
    db.execute("INSERT INTO study_topics (user_id, name) VALUES (1, '소방'), (2, '소방')")
    db.execute("INSERT INTO study_questions (study_topic_id, text, choice_1, choice_2, choice_3, choice_4, "
               "correct_choice) VALUES (1, '작동 압력은?', '1', '2', '3', '4', 3)")  # fmt: skip
    db.execute("INSERT INTO study_quizzes (study_topic_id, question_count) VALUES (1, 1)")
    db.execute("INSERT INTO study_quiz_questions VALUES (1, 1, 1)")
    return db


def refused(db: psycopg.Connection, statement: str, *values: object) -> str | None:
    """Run a statement that a rule must refuse; gives the rule's name."""
    with pytest.raises(errors.IntegrityError) as caught:
        db.execute(statement, values)
    assert str(caught.value.diag.constraint_name) in str(caught.value)
    return caught.value.diag.constraint_name


def add_question(columns: str = "", values: str = "", text: str = "'q'") -> str:
    return f"INSERT INTO study_questions ({QUESTION}{columns}) VALUES (1, {text}, 'a', 'b', 1{values})"


def explain(db: psycopg.Connection) -> None:
    db.execute("UPDATE study_questions SET ai_explanation = 'e', ai_explanation_status = 'ready', "
               "ai_explanation_model = 'PRIMARY:m', ai_explanation_generated_at = now()")  # fmt: skip


def status(db: psycopg.Connection) -> str:
    found = db.execute("SELECT ai_explanation_status FROM study_questions WHERE id = 1").fetchone()
    assert found is not None
    return str(found[0])


# -- topics and questions ----------------------------------------------------------------------------------------------


def test_topics__refuse_wrong_values_by_name(bank: psycopg.Connection) -> None:
    new = "INSERT INTO study_topics (name{}) VALUES ({})"
    assert refused(bank, new.format("", "' '")) == "study_topics_name_not_blank"
    assert refused(bank, new.format("", "repeat('a', 201)")) == "study_topics_name_length"
    assert refused(bank, new.format("", "'소방'")) == "study_topics_name_unique"
    assert refused(bank, new.format(", scheduler", "'a', 'sm2'")) == "study_topics_scheduler_known"
    assert refused(bank, new.format(", note_status", "'a', 'done'")) == "study_topics_note_status_known"
    assert refused(bank, new.format(", note_status", "'a', 'ready'")) == "study_topics_ready_note_is_there"
    assert refused(bank, new.format(", note_citations", "'a', '{}'")) == "study_topics_note_citations_is_list"


def test_topics__of_a_deleted_name_may_be_made_again(bank: psycopg.Connection) -> None:
    bank.execute("UPDATE study_topics SET deleted_at = now() WHERE id = 1")
    bank.execute("INSERT INTO study_topics (name) VALUES ('소방')")


@pytest.mark.parametrize(
    ("columns", "values", "rule"),
    [
        (", choice_4", ", 'd'", "study_questions_choices_without_gap"),
        (", choice_3, choice_5", ", 'c', 'e'", "study_questions_choices_without_gap"),
        (", choice_3", ", ' '", "study_questions_choices_not_blank"),
        (", choice_3", ", repeat('c', 2001)", "study_questions_choices_length"),
        (", explanation", ", repeat('e', 20001)", "study_questions_explanation_length"),
        (", exam_round", ", 0", "study_questions_exam_round_positive"),
        (", exam_number", ", 0", "study_questions_exam_number_in_round"),
        (", exam_round, exam_number", ", 1, 301", "study_questions_exam_number_in_round"),
        (", tags", ", '{a,NULL}'", "study_questions_tags_are_words"),
        (", tags", ", '{\"\"}'", "study_questions_tags_are_words"),
        (", source_key", ", ''", "study_questions_source_key_length"),
        (", ai_explanation_status", ", 'done'", "study_questions_explanation_status_known"),
        (", ai_explanation_status", ", 'ready'", "study_questions_ready_is_explained"),
        (", ai_explanation", ", repeat('e', 1201)", "study_questions_ai_explanation_length"),
        (", ai_explanation_citations", ", '{}'", "study_questions_ai_citations_is_list"),
        (", user_id", ", 2", "study_questions_topic_of_user"),
    ],
)
def test_questions__refuse_wrong_values_by_name(bank: psycopg.Connection, columns: str, values: str, rule: str) -> None:
    assert refused(bank, add_question(columns, values)) == rule


def test_questions__have_a_right_choice_among_theirs(bank: psycopg.Connection) -> None:
    new = "INSERT INTO study_questions (study_topic_id, text, choice_1, choice_2, choice_3, correct_choice) VALUES "
    for wrong in (0, 4):
        assert refused(bank, f"{new} (1, 'q', 'a', 'b', 'c', {wrong})") == "study_questions_correct_is_a_choice"
    bank.execute(f"{new} (1, 'q', 'a', 'b', 'c', 3)")
    with pytest.raises(errors.NotNullViolation, match="choice_2"):
        bank.execute("INSERT INTO study_questions (study_topic_id, text, choice_1, correct_choice) "
                     "VALUES (1, 'q', 'a', 1)")  # fmt: skip
    assert refused(bank, add_question(text="E' \\n'")) == "study_questions_text_not_blank"
    assert refused(bank, add_question(text="repeat('q', 10001)")) == "study_questions_text_length"


def test_questions__of_one_key_stand_once_in_a_topic_while_they_live(bank: psycopg.Connection) -> None:
    bank.execute(add_question(", source_key", ", 'k'"))
    assert refused(bank, add_question(", source_key", ", 'k'")) == "study_questions_same_source"
    bank.execute("UPDATE study_questions SET deleted_at = now() WHERE source_key = 'k'")
    bank.execute(add_question(", source_key", ", 'k'"))
    bank.execute(add_question())
    bank.execute(add_question())  # without a key each gets one of its own


def test_questions__are_never_deleted_from_the_table(bank: psycopg.Connection) -> None:
    assert refused(bank, "DELETE FROM study_questions") == "study_questions_only_soft_deleted"


@pytest.mark.parametrize("change", ["text = 'new'", "choice_4 = NULL", "choice_1 = 'new'", "correct_choice = 1"])
def test_change_of_a_question__makes_its_explanation_stale_and_counts(bank: psycopg.Connection, change: str) -> None:
    explain(bank)
    bank.execute(f"UPDATE study_questions SET {change}")
    assert status(bank) == "stale"
    assert bank.execute("SELECT revision, ai_explanation FROM study_questions").fetchone() == (2, "e")


def test_change_of_anything_else__leaves_the_explanation_ready(bank: psycopg.Connection) -> None:
    explain(bank)
    bank.execute("UPDATE study_questions SET text = text, explanation = 'x', tags = '{a}', exam_round = 2")
    assert status(bank) == "ready"
    bank.execute("UPDATE study_questions SET text = 'new', ai_explanation = 'for the new text'")
    assert status(bank) == "ready"


@pytest.mark.parametrize("before", ["none", "pending", "failed", "skipped"])
def test_change_of_a_question__leaves_other_states(bank: psycopg.Connection, before: str) -> None:
    bank.execute("UPDATE study_questions SET ai_explanation_status = %s", [before])
    bank.execute("UPDATE study_questions SET text = 'new'")
    assert status(bank) == before


def test_documents__are_tied_by_their_owner_only(bank: psycopg.Connection) -> None:
    bank.execute("INSERT INTO documents (title, filename, media_type, sha256, size_bytes, user_id) "
                 "VALUES ('a', 'a', 'a', repeat('0', 64), 1, 1)")  # fmt: skip
    tie = "INSERT INTO study_topic_documents (study_topic_id, document_id) VALUES (%s, %s)"
    assert refused(bank, tie, 2, 1) == "study_topic_documents_same_user"
    assert refused(bank, tie, 1, 9) == "study_topic_documents_document_id_fkey"
    bank.execute(tie, [1, 1])
    bank.execute("SELECT purge_document(1)")
    assert bank.execute("SELECT count(*) FROM study_topic_documents").fetchone() == (0,)


# -- quizzes, answers, reviews -----------------------------------------------------------------------------------------


def test_quizzes__refuse_wrong_values_by_name(bank: psycopg.Connection) -> None:
    new = "INSERT INTO study_quizzes ({}) VALUES ({})"
    assert refused(bank, new.format("mode", "'exam'")) == "study_quizzes_mode_known"
    assert refused(bank, new.format("status", "'done'")) == "study_quizzes_status_known"
    assert refused(bank, new.format("status", "'finished'")) == "study_quizzes_finished_has_time"
    assert refused(bank, new.format("finished_at", "now()")) == "study_quizzes_finished_has_time"
    assert refused(bank, new.format("question_count", "-1")) == "study_quizzes_question_count_not_negative"
    assert refused(bank, new.format("study_topic_id", "2")) == "study_quizzes_topic_of_user"
    assert refused(bank, new.format("analysis_status", "'ready'")) == "study_quizzes_ready_analysis_is_there"
    bank.execute(new.format("mode", "'review'"))  # of several topics
    ask = "INSERT INTO study_quiz_questions VALUES (%s, %s, 1)"
    assert refused(bank, ask, 1, 2) == "study_quiz_questions_once"
    bank.execute(new.format("id, user_id", "50, 2"))
    assert refused(bank, ask, 50, 1) == "study_quiz_questions_same_user"
    assert refused(bank, ask, 50, 0) == "study_quiz_questions_position_from_one"


def answer(columns: str, values: str) -> str:
    return f"INSERT INTO study_answers (study_question_id, {columns}) VALUES (1, {values})"


def test_answers__refuse_what_does_not_fit_together(bank: psycopg.Connection) -> None:
    assert refused(bank, answer("choice, outcome", "6, 'wrong'")) == "study_answers_choice_in_bounds"
    assert refused(bank, answer("choice, outcome", "3, 'guess'")) == "study_answers_outcome_known"
    for choice, outcome in (("3", "wrong"), ("2", "right"), ("NULL", "wrong"), ("3", "dont_know"), ("NULL", "right")):
        rule = refused(bank, answer("choice, outcome", f"{choice}, '{outcome}'"))
        assert rule == "study_answers_outcome_fits", (choice, outcome)
    wrongly = answer("choice, outcome, was_right", "2, 'unsure', true")
    assert refused(bank, wrongly) == "study_answers_was_right_fits"
    assert refused(bank, answer("outcome, user_id", "'dont_know', 2")) == "study_answers_question_of_user"


def test_answers__are_given_once_in_a_quiz_that_asks_the_question(bank: psycopg.Connection) -> None:
    bank.execute(answer("study_quiz_id, choice, outcome", "1, 3, 'right'"))
    again = answer("study_quiz_id, choice, outcome", "1, 2, 'wrong'")
    assert refused(bank, again) == "study_answers_once_in_quiz"
    bank.execute("INSERT INTO study_quizzes (id) VALUES (60)")
    elsewhere = answer("study_quiz_id, choice, outcome", "60, 2, 'wrong'")
    assert refused(bank, elsewhere) == "study_answers_question_in_quiz"
    assert refused(bank, "DELETE FROM study_quizzes WHERE id = 1") == "study_answers_quiz_of_user"


def test_answers__keep_the_choice_that_was_right_then(bank: psycopg.Connection) -> None:
    bank.execute(answer("choice, outcome", "3, 'right'"))
    bank.execute(answer("choice, outcome", "3, 'unsure'"))
    bank.execute("UPDATE study_questions SET correct_choice = 1")
    rows = bank.execute("SELECT outcome, correct_choice, was_right FROM study_answers ORDER BY id").fetchall()
    assert rows == [("right", 3, True), ("unsure", 3, True)]


@pytest.mark.parametrize("table", ["study_answers", "study_reviews"])
def test_what_is_append_only__is_neither_changed_nor_deleted(bank: psycopg.Connection, table: str) -> None:
    bank.execute(answer("choice, outcome", "3, 'right'"))
    bank.execute("INSERT INTO study_reviews (study_question_id, rating, scheduler) VALUES (1, 'good', 'steps')")
    rule = f"{table}_append_only"
    assert refused(bank, f"UPDATE {table} SET user_id = 1") == rule
    assert refused(bank, f"DELETE FROM {table}") == rule
    assert refused(bank, f"TRUNCATE {table}") == rule
    assert bank.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,)


def test_cards_and_reviews__refuse_wrong_values_by_name(bank: psycopg.Connection) -> None:
    card = "INSERT INTO study_cards (study_question_id, {}) VALUES (1, {})"
    assert refused(bank, card.format("step", "1")) == "study_cards_due_until_graduated"
    assert refused(bank, card.format("due_at, step", "now(), -1")) == "study_cards_counts_not_negative"
    assert refused(bank, card.format("due_at, state", "now(), '[]'")) == "study_cards_state_is_object"
    assert refused(bank, card.format("due_at, scheduler", "now(), 'sm2'")) == "study_cards_scheduler_known"
    assert refused(bank, card.format("due_at, user_id", "now(), 2")) == "study_cards_question_of_user"
    review = "INSERT INTO study_reviews (study_question_id, rating, scheduler) VALUES (1, '{}', '{}')"
    assert refused(bank, review.format("fine", "fsrs")) == "study_reviews_rating_known"
    assert refused(bank, review.format("good", "sm2")) == "study_reviews_scheduler_known"


# -- jobs --------------------------------------------------------------------------------------------------------------


def test_explanation_jobs__have_the_columns_and_the_keys_that_were_promised(bank: psycopg.Connection) -> None:
    columns = dict(
        bank.execute("SELECT column_name, data_type FROM information_schema.columns "
                     "WHERE table_name = 'study_question_jobs'").fetchall()
    )  # fmt: skip
    promised = {
        "id": "bigint", "study_question_id": "bigint", "user_id": "bigint", "kind": "character varying",
        "status": "character varying", "attempts": "smallint", "max_attempts": "smallint",
        "error_code": "character varying", "error_message": "text", "payload": "jsonb",
        "created_at": "timestamp with time zone", "started_at": "timestamp with time zone",
        "completed_at": "timestamp with time zone",
    }  # fmt: skip
    assert promised.items() <= columns.items()
    keys = bank.execute("SELECT confrelid::regclass::text, confdeltype::text FROM pg_constraint "
                        "WHERE conrelid = 'study_question_jobs'::regclass AND contype = 'f'").fetchall()  # fmt: skip
    assert set(keys) == {("study_questions", "c"), ("users", "c")}


@pytest.mark.parametrize("of", ["study_question", "study_topic", "study_quiz"])
def test_jobs__are_active_once_and_pile_up_when_they_are_final(bank: psycopg.Connection, of: str) -> None:
    new = f"INSERT INTO {of}_jobs ({of}_id) VALUES (1)"
    bank.execute(new)
    assert refused(bank, new) == f"{of}_jobs_one_active"
    for final in ("failed", "skipped", "completed"):
        bank.execute(f"UPDATE {of}_jobs SET status = %s, completed_at = now() WHERE status = 'pending'", [final])
        bank.execute(new)
    assert refused(bank, f"INSERT INTO {of}_jobs ({of}_id, kind) VALUES (1, 'x')") == f"{of}_jobs_kind_known"
    owner = {"study_question": "question", "study_topic": "topic", "study_quiz": "quiz"}[of]
    stranger = f"INSERT INTO {of}_jobs ({of}_id, user_id) VALUES (1, 2)"
    assert refused(bank, stranger) in (f"{of}_jobs_{owner}_of_user", f"{of}_jobs_one_active")


def enqueue(db: psycopg.Connection, *values: object) -> bool:
    found = db.execute(f"SELECT study_enqueue_explanation({', '.join(['%s'] * len(values))})", values).fetchone()
    assert found is not None
    return bool(found[0])


def test_enqueue__by_fifty_at_once_leaves_one_row_and_tells_one(bank: psycopg.Connection, dsn: str) -> None:
    def one(_: int) -> bool:
        with psycopg.connect(dsn, autocommit=True) as connection:
            return enqueue(connection, 1)

    with ThreadPoolExecutor(50) as pool:
        told = list(pool.map(one, range(50)))
    assert sorted(told) == [False] * 49 + [True]
    assert bank.execute("SELECT status, attempts, urgency FROM study_question_jobs").fetchall() == [("pending", 0, 100)]
    assert status(bank) == "pending"


@pytest.mark.parametrize(
    ("before", "payload", "after"),
    [
        ("none", None, "pending"),
        ("failed", None, "pending"),
        ("skipped", None, "pending"),
        ("stale", None, "pending"),
        ("ready", None, "ready"),
        ("ready", '{"again": true}', "pending"),
        ("ready", '{"again": false}', "ready"),
    ],
)
def test_enqueue__makes_pending_what_is_to_be_made(
    bank: psycopg.Connection, before: str, payload: str | None, after: str
) -> None:
    explain(bank)
    bank.execute("UPDATE study_questions SET ai_explanation_status = %s", [before])
    assert enqueue(bank, 1, 1, 100, payload)
    assert status(bank) == after
    assert not enqueue(bank, 1)


def test_enqueue__makes_a_waiting_row_as_urgent_as_the_new_wish(bank: psycopg.Connection) -> None:
    enqueue(bank, 1, 1, 100)
    bank.execute("LISTEN seodang_study_question_jobs")
    assert not enqueue(bank, 1, 1, 0)
    assert bank.execute("SELECT urgency FROM study_question_jobs").fetchall() == [(0,)]
    assert len(list(bank.notifies(timeout=5, stop_after=1))) == 1  # lanes look again: the row stands elsewhere now
    assert not enqueue(bank, 1, 1, 100)
    assert bank.execute("SELECT urgency FROM study_question_jobs").fetchall() == [(0,)]


def test_enqueue__rolled_back_leaves_nothing(bank: psycopg.Connection) -> None:
    with bank.transaction(force_rollback=True):
        assert enqueue(bank, 1)
    assert bank.execute("SELECT count(*) FROM study_question_jobs").fetchone() == (0,)
    assert status(bank) == "none"


# -- views -------------------------------------------------------------------------------------------------------------

CHOICES = {"R": ("3", "right"), "W": ("1", "wrong"), "U": ("3", "unsure"), "D": ("NULL", "dont_know")}


def say(db: psycopg.Connection, outcomes: str) -> None:
    """Answer, oldest first."""
    for letter in outcomes:
        choice, outcome = CHOICES[letter]
        db.execute(answer("choice, outcome", f"{choice}, '{outcome}'"))


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ("", "unattempted"),
        ("R", "unstable"),
        ("RR", "unstable"),
        ("RRR", "stable"),
        ("WRRR", "stable"),
        ("W", "unstable"),  # one wrong alone is neither chronic nor regressed
        ("RRW", "unstable"),
        ("RWW", "regressed"),
        ("RWU", "unsure"),
        ("RUW", "regressed"),
        ("WW", "chronic_wrong"),
        ("WWW", "chronic_wrong"),
        ("RWDW", "chronic_wrong"),
        ("WUW", "chronic_wrong"),
        ("UW", "unstable"),
        ("U", "unsure"),
        ("RRU", "unsure"),
        ("D", "unsure"),
        ("DD", "chronic_wrong"),
        ("WRR", "recovered"),
        ("URR", "recovered"),
        ("WR", "unstable"),
        ("RWR", "unstable"),
    ],
)
def test_learning_state__is_that_of_the_last_three_answers(bank: psycopg.Connection, outcomes: str, state: str) -> None:
    say(bank, outcomes)
    found = bank.execute("SELECT state, attempts, right_answers FROM study_learning_state").fetchall()
    assert found == [(state, len(outcomes), outcomes.count("R"))]


def test_learning_state__knows_no_deleted_question(bank: psycopg.Connection) -> None:
    bank.execute("UPDATE study_questions SET deleted_at = now()")
    assert bank.execute("SELECT * FROM study_learning_state").fetchall() == []


def tabs(db: psycopg.Connection) -> Sequence[str]:
    return [row[0] for row in db.execute("SELECT tab FROM study_review_tabs ORDER BY tab").fetchall()]


@pytest.mark.parametrize(
    ("outcomes", "due", "graduated", "expected"),
    [
        ("", None, False, []),
        ("R", None, False, []),
        ("W", None, False, ["pending_review"]),
        ("WR", None, False, []),
        ("RRU", None, False, ["pending_review"]),
        ("WW", None, False, ["chronic", "pending_review"]),
        ("WW", "now()", False, ["chronic", "due_today"]),
        ("RWW", "now() + interval '3 days'", False, ["regressed"]),
        ("RRR", None, False, ["mastered"]),
        ("R", "NULL", True, ["mastered"]),
        ("R", "now() - interval '9 days'", False, ["due_today"]),
    ],
)
def test_review_tabs__show_what_waits(
    bank: psycopg.Connection, outcomes: str, due: str | None, graduated: bool, expected: list[str]
) -> None:
    say(bank, outcomes)
    if due is not None:
        done = "now()" if graduated else "NULL"
        bank.execute(f"INSERT INTO study_cards (study_question_id, due_at, graduated_at) VALUES (1, {due}, {done})")
    assert tabs(bank) == expected
