"""Gather what a text about topics may rest on: documents, their best passages, and what the learner got wrong.

In: topics. Out: sources with numbered passages. Restricted and deleted documents, and digests, are left out in the
database (view study_topic_sources), whoever asks.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from db.rows import ServedPage
from db.study_note_rows import Missed, StudyPassage, StudySource
from services.study.cited import Citation, Passage, off_page
from services.text.language import ReplyLanguage, reply_language
from services.text.terms import query_terms, sparsevec_text
from services.tools import Tools

HEADINGS = 12
"""Of one document so many headings are told: an outline, not a table of contents."""
SUMMARY_CHARS = 400
LANGUAGE_CHARS = 2_000
LANGUAGES = {"ko": "Korean", "en": "English"}


@dataclass(frozen=True, slots=True)
class Sources:
    """What there is on topics.

    Attributes:
        documents: in the order in which they were tied.
        passages: by their numbers, from 1, document by document in reading order.
        missed: questions that the learner does not know.
    """

    documents: tuple[StudySource, ...]
    passages: Mapping[int, Passage]
    missed: tuple[Missed, ...]

    def of(self, document: StudySource) -> list[Passage]:
        """Give the passages of one document."""
        return [each for each in self.passages.values() if each.document_id == document.document_id]

    def language(self) -> ReplyLanguage:
        """Choose the reader's language: that of the questions, and without any that of the passages."""
        texts = [each.text for each in self.missed] or [each.text for each in self.passages.values()]
        return reply_language(" ".join(texts)[:LANGUAGE_CHARS])


async def gather(topic_ids: Sequence[int], missed: Sequence[Missed], tools: Tools) -> Sources:
    """Read the documents of topics, and of each the passages that fit best to what was missed."""
    settings = tools.settings.study
    wanted = {"most": settings.note_documents, "headings": HEADINGS, "chars": SUMMARY_CHARS}
    documents = await tools.db.many(StudySource, "study_sources", topic_ids=list(topic_ids), **wanted)
    found = await tools.db.many(
        StudyPassage,
        "study_passages",
        document_ids=[document.document_id for document in documents],
        about=about(missed),
        of_each=settings.note_passages,
    )
    passages = {n: _passage(n, each) for n, each in enumerate(found, start=1)}
    return Sources(tuple(documents), passages, tuple(missed))


def _passage(n: int, found: StudyPassage) -> Passage:
    return Passage(n, found.document_id, found.chunk_id, found.title, found.page, found.start, found.text)


def about(missed: Iterable[Missed]) -> str:
    """Write what was missed as a sparse vector: each term with the number of times that it was, as BM25 asks."""
    counts: Counter[int] = Counter()
    for each in missed:
        for ident in query_terms(f"{each.text} {each.answer}").values():
            counts[ident] += each.missed
    return sparsevec_text({ident: float(count) for ident, count in counts.items()})


async def misquoted(citations: Sequence[Citation], tools: Tools) -> list[str]:
    """Name the citations whose quote does not stand on its page as it is served now."""
    pages = await tools.db.many(
        ServedPage,
        "page_texts",
        document_ids=[each.document_id for each in citations],
        numbers=[each.page for each in citations],
    )
    return off_page(citations, {(page.document_id, page.number): page.text for page in pages})


def written_out(passages: Iterable[Passage]) -> dict[int, str]:
    """Write passages as the prompts show them; no text can end its own quotation marks."""
    return {
        each.n: f'<passage n="{each.n}" title="{attribute(each.title)}" page="{each.page}">\n{quoted(each.text)}\n'
        "</passage>"
        for each in passages
    }


def attribute(text: str) -> str:
    """Write a title so that it stays within its quotation marks."""
    return " ".join(quoted(text).replace('"', "”").split())


def quoted(text: str) -> str:
    """Write a text so that it cannot end what it stands in."""
    return text.replace("</passage", "< /passage").replace("<passage", "< passage")


def written_misses(missed: Iterable[Missed]) -> str:
    """Write questions that were not known as the prompts show them."""
    return "\n".join(f"- {quoted(each.text)} → {quoted(each.answer)}" for each in missed) or "-"
