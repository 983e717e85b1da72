"""An answer for which the model of `models.deep` searches by itself (behaviours part 9).

In: a question that came as a row of `asks` with the mode `react`. Out: an answer that is held to the same rules as any
other, or a refusal. It runs on DEEP alone and takes no stand-in: without that server it ends before anything is
searched.
"""

from collections.abc import Sequence

from services.answer.ask import Asking, Author
from services.answer.evidence import Evidence
from services.answer.question import Asked
from services.answer.react_cards import cards
from services.answer.react_ground import asked_of, rested
from services.answer.react_loop import Loop, opening, run_on_deep
from services.answer.result import Answer, Refusal, refuse
from services.answer.shown import LANGUAGES
from services.answer.synthesize import read_draft
from services.model.prompt import load_prompt

PROMPT = "react"
NO_ANSWER = "NO_ANSWER"
"""What the prompt has the model say where the passages do not answer."""


async def react(asking: Asking) -> tuple[Answer | Refusal, Sequence[Evidence], Author]:
    """Answer a question by searches of the model's own; the trace then has `rounds`, `sources` and `partial`.

    Raises:
        ModelError: a call failed.
        JobError: `deep_unavailable`, where a person waits and the server is away.
    """
    prompt, trace = load_prompt(PROMPT), asking.trace
    asked = await asked_of(asking.question, asking.tools)
    max_chars = asking.tools.settings.answer.max_chars
    parts = prompt.fill(question=asking.question, max_chars=max_chars, language=LANGUAGES[asked.language])
    trace.begin("retrieve")
    with trace.timed("react"):
        loop = await run_on_deep(PROMPT, asking, opening(prompt, parts))
    evidence = loop.tool.found.evidence
    result = await _result(loop, asked, asking, max_chars)
    cited = result.citations if isinstance(result, Answer) else ()
    trace.note(partial=not loop.text, sources=cards(evidence, cited))
    return result, evidence, Author(loop.model, prompt.version)


async def _result(loop: Loop, asked: Asked, asking: Asking, max_chars: int) -> Answer | Refusal:
    found = loop.tool.found
    if found.searches and not found.evidence:
        return refuse("evidence_missing", asked.language)
    if not loop.text:
        return refuse("answer_empty", asked.language)
    if loop.text.strip("`'\"*. ") == NO_ANSWER:
        return refuse("evidence_weak", asked.language)
    return await rested(read_draft(loop.text), asked, found.evidence, asking, max_chars)
