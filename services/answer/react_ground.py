"""What becomes of a text that a model wrote from passages it had found itself: the same as of any draft.

In: the text with its markers, and the passages. Out: an answer whose markers lead to quotes on pages, or a refusal, as
services/answer/review.py decides. No further model is asked: the loop's calls are counted (T03), and its server is the
only one that takes part (T02).
"""

from collections.abc import Sequence
from dataclasses import replace

from services.answer.around import around
from services.answer.ask import Asking
from services.answer.calls import Caller
from services.answer.decide import decide
from services.answer.evidence import Evidence
from services.answer.judge import Opinion
from services.answer.question import Asked, read
from services.answer.result import Answer, Refusal
from services.answer.review import Basis, Reviewer, review
from services.answer.synthesize import Draft, Ground, settled
from services.search.lexical import ALL_CHUNKS, document_frequencies
from services.text.terms import idf, query_terms, question_weights
from services.tools import Tools


async def asked_of(question: str, tools: Tools) -> Asked:
    """Read a question as the checks see it."""
    docs = await document_frequencies(tools.db, list(query_terms(question).values()))
    chunks = docs.get(ALL_CHUNKS, 0)
    return read(question, question_weights(question, docs, chunks), idf(0, chunks))


async def rested(
    draft: Draft, asked: Asked, evidence: Sequence[Evidence], asking: Asking, max_chars: int
) -> Answer | Refusal:
    """Give what is shown in the place of a draft; the trace says what was found against it.

    Args:
        evidence: numbered as the model was shown it; none where it did not search, and nothing can be cited.
        max_chars: longest answer, markers included.
    """
    assert asking.tools.models is not None
    near = await around(asking.tools.db, asked, evidence)
    covered = decide(asked, evidence, near).enough
    basis = Basis(asked, evidence, evidence, Opinion(), covered, relevance=1.0)
    caller = Caller(asking.tools.models, asking.call, asking.trace, asking.voice)
    reviewer = Reviewer(_reviewing(asking.tools, max_chars), asking.trace, caller)
    return await review(settled(draft, Ground(asked, evidence, covered), max_chars), basis, reviewer)


def _reviewing(tools: Tools, max_chars: int) -> Tools:
    """Give tools with the settings of this review: its own length, and no verifier."""
    answer = tools.settings.answer.model_copy(update={"max_chars": max_chars, "verify": False})
    return replace(tools, settings=tools.settings.model_copy(update={"answer": answer}))
