"""Explain why the stored choice of a question is right, from the learner's own documents.

In: jobs about questions, from a finished quiz, a person or a client's SQL. Out: an explanation with its citations that
lands on the stored choice, or an ending that says why there is none. One call at most a try, in the class of whoever
waits; without a model the documents' own sentences are chosen. A job's end and the question's columns are one
transaction: a failed or skipped job tells its question by a trigger (migration 0025).
"""

from collections.abc import Sequence
from dataclasses import replace

from db.gate import Priority
from db.jobs import Job
from db.study_rows import QuestionToExplain
from services.kit.outcome import Completed, Failed, Outcome, Retry, Skipped, Write
from services.kit.stage import FOREGROUND, single
from services.model.budget import room_tokens, tokens_of
from services.model.client import Call, Said
from services.model.endpoint import Endpoint, Role
from services.model.errors import ModelError, ModelTimeout, ModelUnavailable, ReplyEmpty, ReplyUnusable
from services.model.prompt import load_prompt
from services.model.reply import Reply
from services.model.request import ChatRequest, Message
from services.study.builtin import MODEL, VERSION, extract
from services.study.cap import MOST_CHARS, capped
from services.study.evidence import Chosen, Evidence, block, choose
from services.study.guard import Envelope, Unreadable, landed_elsewhere, preview_of, read_envelope
from services.study.pools import Pools, read_pools
from services.tools import Tools

PROMPT = "explanation"
AGAIN_TEMPERATURE = 0.4
"""A model that gave no readable reply gives the same one again at 0."""
GONE = "question deleted or missing"
NO_EVIDENCE = "no document/question evidence in this topic"
EMPTY = "empty response from primary"


async def explain(job: Job, tools: Tools) -> Outcome:
    """Explain one question; whatever it ends as, one that was changed meanwhile is enqueued again."""
    async with tools.db.session() as session:  # one connection for all that is read, given back before the call
        question = await session.one(QuestionToExplain, "questions_to_explain", ids=[job.id])
        if question is None or question.deleted:
            return Skipped("evidence_missing", GONE)
        if question.status == "ready" and not _asked_again(question):
            return Completed()
        pools = await read_pools(session, question)
    outcome = await _explained(job, question, pools, tools)
    if isinstance(outcome, Retry | Completed):
        return outcome
    again = Write.once("explain_again_if_changed", id=question.id, revision=question.revision, urgency=job.urgency)
    return replace(outcome, writes=(*outcome.writes, again))


run = single(explain)


def _asked_again(question: QuestionToExplain) -> bool:
    return (question.payload or {}).get("again") is True


async def _explained(job: Job, question: QuestionToExplain, pools: Pools, tools: Tools) -> Outcome:
    if pools.empty:
        return Skipped("evidence_missing", NO_EVIDENCE)
    models = tools.models
    if models is None or models.endpoint(Role.PRIMARY) is None:
        return _extracted(job, question, pools)
    priority = Priority.FOREGROUND if job.urgency == FOREGROUND else Priority.BACKGROUND
    study, label = tools.settings.study, f"explanation question:{question.id}"
    chosen = await choose(pools, models, Call(Role.RERANK, priority, label, limit_s=study.rerank_limit_s))
    call = Call(Role.PRIMARY, priority, label, limit_s=study.explain_limit_s)
    request, shown = request_for(models.endpoint(Role.PRIMARY), question, chosen, job.attempts)
    try:
        said = await models.chat(call, request)
    except ModelError as error:
        return ending_of(error)
    return _judged(job, question, shown, said)


def _extracted(job: Job, question: QuestionToExplain, pools: Pools) -> Outcome:
    found = extract(question.text, question.choices, question.correct_choice, pools)
    if found is None:
        return Failed("guard_fail", f"No sentence supports choice {question.correct_choice} better than the others.")
    envelope = Envelope(answer_choice=question.correct_choice, explanation_md=found.text, confidence="low")
    return saved(job, question, envelope, [found.evidence], MODEL, VERSION)


def request_for(
    endpoint: Endpoint | None, question: QuestionToExplain, chosen: Chosen, attempt: int
) -> tuple[ChatRequest, Chosen]:
    """Make the request, with as much of the evidence as the model's context takes; gives it with what is shown.

    Other questions give way first, then the documents from the least.
    """
    room = room_tokens(endpoint, _request(question, Chosen((), ()), attempt)) if endpoint is not None else None
    documents, used = _within(chosen.documents, room, 0)
    questions, _ = _within(chosen.questions, room, used)
    shown = Chosen(documents, questions)
    return _request(question, shown, attempt), shown


def _within(evidence: Sequence[Evidence], room: int | None, used: int) -> tuple[tuple[Evidence, ...], int]:
    if room is None:
        return tuple(evidence), used
    kept: list[Evidence] = []
    for each in evidence:
        used += tokens_of(each.line) + 1
        if used > room:
            break
        kept.append(each)
    return tuple(kept), used


def _request(question: QuestionToExplain, shown: Chosen, attempt: int) -> ChatRequest:
    prompt = load_prompt(PROMPT)
    first, second, third, fourth = choice_lines(question.choices)
    parts = prompt.fill(
        question=question.text,
        choice_1=first,
        choice_2=second,
        choice_3=third,
        choice_4=fourth,
        correct_choice=question.correct_choice,
        document_evidence=block(shown.documents),
        question_evidence=block(shown.questions),
    )
    messages = tuple(Message(who, text) for who, text in parts)
    temperature = AGAIN_TEMPERATURE if attempt > 1 else 0.0
    return ChatRequest(messages, prompt.header.max_tokens, temperature, shape=Envelope)


def choice_lines(choices: Sequence[str]) -> tuple[str, str, str, str]:
    """Number the choices for the four places of the prompt (S20): a fifth stands below the fourth, a missing one is
    empty."""
    lines = [f"{number}. {' '.join(choice.split())}" for number, choice in enumerate(choices, start=1)]
    first, second, third, *rest = [*lines, "", ""]
    return first, second, third, "\n".join(rest).rstrip()


def ending_of(error: ModelError) -> Retry:
    """Name the ending of a call that failed, by the five codes of an explanation (J15).

    A server that is away puts the job off, at no cost, as everywhere; an empty reply counts as a late one (S12).
    """
    message = f"{type(error).__name__}: {error}"
    match error:
        case ModelUnavailable():
            return Retry(error.code, message, error.after_s, counted=False)
        case ReplyEmpty():
            return Retry("llm_timeout", EMPTY)
        case ModelTimeout():
            return Retry("llm_timeout", message)
        case ReplyUnusable():
            noted: dict[str, object] = {"debug_raw_preview": preview_of(error.reply), "parse_fail_reason": "not_dict"}
            return Retry("parse_fail", message, payload=noted)
        case _:
            return Retry("unknown", message)


def _judged(job: Job, question: QuestionToExplain, shown: Chosen, said: Said[Reply]) -> Outcome:
    text = said.reply.text
    if not text.strip():
        return Retry("llm_timeout", EMPTY)
    envelope = read_envelope(text, len(question.choices))
    if isinstance(envelope, Unreadable):
        return Retry("parse_fail", f"The reply is no explanation: {envelope.reason}.", payload=envelope.noted())
    elsewhere = landed_elsewhere(envelope, question.correct_choice, question.choices)
    if elsewhere is not None:
        noted: dict[str, object] = {
            "answer_choice": envelope.answer_choice,
            "confidence": envelope.confidence,
            "model": said.model,
        }
        return Failed("guard_fail", elsewhere, payload=noted)
    evidence = [*shown.documents, *shown.questions]
    return saved(job, question, envelope, evidence, said.model, load_prompt(PROMPT).version)


def saved(
    job: Job,
    question: QuestionToExplain,
    envelope: Envelope,
    evidence: Sequence[Evidence],
    model: str,
    version: str,
) -> Completed:
    """Store an explanation that passed the guard, at most MOST_CHARS long, with the evidence that it was made of."""
    original = envelope.explanation_md
    text = capped(original)
    kept = Write.once(
        "save_explanation",
        id=question.id,
        revision=question.revision,
        explanation=text,
        model=model,
        citations=[each.cited() for each in evidence],
        prompt_version=version,
        urgency=job.urgency,
    )
    return Completed(
        (kept,),
        payload={
            "answer_choice": envelope.answer_choice,
            "confidence": envelope.confidence,
            "explanation_len_original": len(original),
            "explanation_len_saved": len(text),
            "explanation_capped": len(original) > MOST_CHARS,
        },
    )
