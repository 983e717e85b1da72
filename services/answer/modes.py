"""Which corridor answers a row of `asks`: its mode says so.

In: an ask and its row. Out: what the corridor of its mode gives; all of them give the same, so that the row ends alike.
"""

from collections.abc import Sequence

from db.rows import AskQuestion
from services.answer.ask import Asking, Author, ask
from services.answer.chat import chat
from services.answer.evidence import Evidence
from services.answer.react import react
from services.answer.result import Answer, Refusal


async def answer(asking: Asking, row: AskQuestion) -> tuple[Answer | Refusal, Sequence[Evidence], Author]:
    """Answer by the row's mode; a CHECK keeps it one of these.

    Raises:
        RequestError: what is asked cannot be searched.
        JobError: there is no answer; `ModelError` where another try may help.
    """
    match row.mode:
        case "react":
            return await react(asking)
        case "chat":
            return await chat(asking, row)
        case _:
            return await ask(asking)
