"""What may be asked, by whichever door: one check of a question's length, before anything is searched or written.

In: a question without blanks around it. Out: nothing, or the sentence that says what is wrong with it and what to do.
"""

from services.kit.errors import RequestError
from services.kit.settings import SearchSettings

MAX_QUESTION_CHARS = 4000
"""The CHECK asks_question_length; `search.max_query_chars` may ask for less."""


def check_asked(question: str, settings: SearchSettings) -> None:
    """Let a question pass that can be kept as a row of `asks`.

    Raises:
        RequestError: it is empty, or longer than the table or `search.max_query_chars` allows.
    """
    check_filled(question)
    check_length(question, min(settings.max_query_chars, MAX_QUESTION_CHARS))


def check_filled(question: str) -> None:
    """Let a question pass that has a character.

    Raises:
        RequestError: it has none.
    """
    if not question:
        message, hint = "The question is empty.", "Write what you would like to know, in quotation marks."
        raise RequestError(400, "query_empty", message, hint)


def check_length(question: str, most_chars: int) -> None:
    """Let a question pass that is not too long.

    Raises:
        RequestError: it has more than `most_chars` characters.
    """
    if len(question) > most_chars:
        message = f"A question may have {most_chars} characters, this one has {len(question)}."
        raise RequestError(400, "query_too_long", message, "Shorten it, or split it into several.")
