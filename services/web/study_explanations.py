"""The explanation of a question over HTTP: what is stored comes at once, what is not is put at the head of the line.

To ask for the explanation is to ask for the answer: it is given to its owner also before the question was answered.
This process makes none, and calls no model: the daemon `explanation` does.
"""

from starlette.responses import JSONResponse

from db.gate import Priority
from db.study_quiz_rows import ExplanationRow
from services.kit.errors import RequestError
from services.web.context import OWNER, Web, WebPort
from services.web.errors import not_found
from services.web.study_wire import ExplanationIn, ExplanationOut
from services.web.urls import explanation_url
from services.web.wire import DocumentNumber

STORED = ("ready", "stale")
WITHHELD = "restricted"
QUOTES_RESTRICTED = "It quotes a document that has become restricted since."
UNDER_WAY = ("pending", "processing")
AGAIN = 'Send {"again": true} to have it tried again.'
WAITED = {"responses": {"202": {"description": "It is being made: look at `url` again."}}}
"""For OpenAPI."""


def _shown(row: ExplanationRow) -> ExplanationOut:
    told = row.status in STORED
    code, message = (WITHHELD, QUOTES_RESTRICTED) if row.withheld else (row.error_code, row.error_message)
    return ExplanationOut(
        question_id=row.id,
        status=row.status,
        explanation=row.explanation if told else None,
        evidence=(row.citations or []) if told else [],
        confidence=row.confidence if told else None,
        model=row.model if told else None,
        prompt_version=row.prompt_version if told else None,
        generated_at=row.generated_at if told else None,
        job_id=row.job_id,
        error_code=None if told and not row.withheld else code,
        error_message=None if told and not row.withheld else message,
        url=explanation_url(row.id),
    )


def _reply(row: ExplanationRow) -> JSONResponse:
    shown = _shown(row)
    late = row.status == "pending"
    headers = {"Location": shown.url, "Retry-After": "1"} if late else None
    return JSONResponse(shown.model_dump(mode="json"), 202 if late else 200, headers)


async def _row(question_id: int, web: Web) -> ExplanationRow:
    row = await web.db.one(ExplanationRow, "study_explanation", user_id=OWNER, id=question_id)
    if row is None:
        raise not_found(f"question {question_id}")
    return row


async def read_explanation(question_id: DocumentNumber, web: WebPort) -> JSONResponse:
    """Give the explanation as it stands: 202 while it is being made; `failed` and `skipped` say why."""
    return _reply(await _row(question_id, web))


async def explain_question(
    question_id: DocumentNumber, web: WebPort, said: ExplanationIn | None = None
) -> JSONResponse:
    """Give the stored explanation, or have one made before what nobody waits for; `again` has it made anew."""
    again = said is not None and said.again
    row = await _row(question_id, web)
    if not again and row.status in STORED:
        if row.withheld:
            raise RequestError(409, WITHHELD, QUOTES_RESTRICTED, AGAIN)
        return _reply(row)
    if not again and row.status in ("failed", "skipped") and row.job_status not in UNDER_WAY:
        message = row.error_message or "The question could not be explained."
        raise RequestError(409, row.error_code or row.status, message, AGAIN)
    payload = {"asked_by": "person", **({"again": True} if again else {})}
    values = {"user_id": OWNER, "id": row.id, "urgency": int(Priority.FOREGROUND), "payload": payload}
    await web.db.value("enqueue_explanation", **values)
    return _reply(await _row(question_id, web))
