"""Addresses of things, as every reply names them."""


def document_url(document_id: int) -> str:
    """Address of a document."""
    return f"/api/documents/{document_id}"


def page_url(document_id: int, page: int, start: int | None = None, end: int | None = None) -> str:
    """Address of a page, opened at the characters `start` to `end` when they are given."""
    place = "" if start is None or end is None else f"?start={start}&end={end}#quote"
    return f"{document_url(document_id)}/pages/{page}{place}"


def ask_url(ask_id: int) -> str:
    """Address of an ask."""
    return f"/api/asks/{ask_id}"


def topic_url(topic_id: int) -> str:
    """Address of a topic."""
    return f"/api/study/topics/{topic_id}"


def question_url(question_id: int) -> str:
    """Address of a question of the bank."""
    return f"/api/study/questions/{question_id}"


def explanation_url(question_id: int) -> str:
    """Address of a question's explanation."""
    return f"{question_url(question_id)}/explanation"


def quiz_url(quiz_id: int) -> str:
    """Address of a quiz."""
    return f"/api/study/quizzes/{quiz_id}"


def chat_url(chat_id: int) -> str:
    """Address of a chat."""
    return f"/api/chats/{chat_id}"
