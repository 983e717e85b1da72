"""A question bank for tests: topics, questions, answers, written as any SQL client may."""

from collections.abc import Sequence

import psycopg

WORDS = {"r": "right", "w": "wrong", "u": "unsure", "d": "dont_know"}


def topic(db: psycopg.Connection, name: str = "산업안전", scheduler: str = "steps") -> int:
    """Make a topic; gives its number."""
    return _number(db, "INSERT INTO study_topics (name, scheduler) VALUES (%s, %s) RETURNING id", name, scheduler)


def question(db: psycopg.Connection, topic_id: int, text: str = "안전밸브는?", **columns: object) -> int:
    """Add a question of four choices, the second of them right; gives its number."""
    fields = {"study_topic_id": topic_id, "text": text, "choice_1": "하나", "choice_2": "둘", "choice_3": "셋",
              "choice_4": "넷", "correct_choice": 2, **columns}  # fmt: skip
    names, marks = ", ".join(fields), ", ".join(["%s"] * len(fields))
    return _number(db, f"INSERT INTO study_questions ({names}) VALUES ({marks}) RETURNING id", *fields.values())


def questions(db: psycopg.Connection, topic_id: int, most: int, **columns: object) -> list[int]:
    """Add so many questions; gives their numbers."""
    return [question(db, topic_id, f"문제 {n}", **columns) for n in range(1, most + 1)]


def answer(db: psycopg.Connection, question_id: int, history: str) -> None:
    """Answer a question outside of any quiz: `history` has a letter for each answer, oldest first (WORDS)."""
    for letter in history:
        choice = {"r": 2, "w": 1}.get(letter)
        db.execute(
            "INSERT INTO study_answers (study_question_id, choice, outcome) VALUES (%s, %s, %s)",
            [question_id, choice, WORDS[letter]],
        )


def finished_quiz(db: psycopg.Connection, topic_id: int, ids: Sequence[int], letter: str = "w") -> int:
    """Write a finished quiz in which every question was answered the same way; gives its number."""
    statement = """INSERT INTO study_quizzes (study_topic_id, status, finished_at, question_count)
                   VALUES (%s, 'finished', now(), %s) RETURNING id"""
    number = _number(db, statement, topic_id, len(ids))
    for place, each in enumerate(ids, start=1):
        db.execute("INSERT INTO study_quiz_questions VALUES (%s, %s, %s)", [number, place, each])
        db.execute(
            "INSERT INTO study_answers (study_quiz_id, study_question_id, choice, outcome) VALUES (%s, %s, %s, %s)",
            [number, each, {"r": 2, "w": 1}.get(letter), WORDS[letter]],
        )
    return number


def explained(db: psycopg.Connection, question_id: int, status: str = "ready", text: str | None = "둘이 맞다.") -> None:
    """Put a question into a state of its explanation, as the daemon leaves it."""
    citations = '[{"source_type": "document", "source_id": 1, "title": "지침", "snippet": "둘이 맞다"}]'
    db.execute(
        """UPDATE study_questions SET ai_explanation_status = %s, ai_explanation = %s, ai_explanation_model = 'fake',
               ai_explanation_generated_at = now(), ai_explanation_citations = %s WHERE id = %s""",
        [status, text, citations, question_id],
    )


def ended_job(db: psycopg.Connection, question_id: int, status: str, code: str | None, message: str = "") -> int:
    """Write a job of a question that has ended; gives its number."""
    statement = """INSERT INTO study_question_jobs (study_question_id, status, error_code, error_message, completed_at)
                   VALUES (%s, %s, %s, %s, now()) RETURNING id"""
    return _number(db, statement, question_id, status, code, message)


def jobs(db: psycopg.Connection) -> list[int]:
    """List the questions whose explanation waits, in the order of the jobs."""
    rows = db.execute("SELECT study_question_id FROM study_question_jobs WHERE status = 'pending' ORDER BY id")
    return [row[0] for row in rows]


def _number(db: psycopg.Connection, statement: str, *values: object) -> int:
    row = db.execute(statement.encode(), values).fetchone()
    assert row is not None
    return int(row[0])
