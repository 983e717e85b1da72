"""What an ask ends in: an answer whose every claim opens at its page, or a refusal that says what is
missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from services.text.language import ReplyLanguage

Completeness = Literal["full", "partial", "insufficient"]
Confidence = Literal["high", "medium", "low"]
Reason = Literal["evidence_missing", "evidence_restricted", "evidence_weak", "answer_ungrounded", "answer_empty"]


@dataclass(frozen=True, slots=True)
class Citation:
    """The place that one claim rests on: `page_text[start:end] == quote`."""

    n: int
    document_id: int
    chunk_id: int
    title: str
    page: int
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply with a marker `[n]` behind each claim, one for each of its citations; `cut`: more was written."""

    text: str
    completeness: Completeness
    confidence: Confidence
    citations: tuple[Citation, ...]
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """No answer: why, as a stable code, and what would be needed, as a sentence in the language of the
    question."""

    reason: Reason
    sentence: str


_SENTENCES: dict[ReplyLanguage, dict[Reason, str]] = {
    "ko": {
        "evidence_missing": "질문과 관련된 자료를 찾지 못했습니다. 해당 내용을 담은 문서를 추가해 주세요.",
        "evidence_restricted": "관련 자료는 인용이 제한된 문서뿐입니다. 인용할 수 있는 문서를 추가해 주세요.",
        "evidence_weak": "찾은 자료로는 답할 수 없습니다. 질문의 내용을 직접 다루는 문서가 필요합니다.",
        "answer_ungrounded": "모델이 쓴 답의 근거를 원문에서 찾지 못했습니다. 다시 묻거나 찾은 자료를 열어 보세요.",
        "answer_empty": "자료는 찾았지만 모델이 답을 쓰지 못했습니다. 그 자료를 보거나 질문을 나누어 다시 물어 주세요.",
    },
    "en": {
        "evidence_missing": "No document here deals with this question. Add one that does.",
        "evidence_restricted": "Only documents that may not be quoted deal with this. Add one that may.",
        "evidence_weak": "What was found does not answer this. A document that deals with it directly is needed.",
        "answer_ungrounded": "What the model wrote could not be traced to a page. Ask again, or open what was found.",
        "answer_empty": "The model searched and wrote no answer. See what it found, or ask again in smaller parts.",
    },
}


_MISSING: Mapping[ReplyLanguage, str] = MappingProxyType({"ko": " 찾지 못한 내용: {}.", "en": " Not found: {}."})


def refuse(reason: Reason, language: ReplyLanguage, missing: Sequence[str] = ()) -> Refusal:
    """Refuse for a reason, with the sentence that says what would be needed.

    Args:
        missing: the parts of the question that nothing was found for, where that is known.
    """
    named = _MISSING[language].format("; ".join(part.rstrip(".?!。") for part in missing)) if missing else ""
    return Refusal(reason, _SENTENCES[language][reason] + named)
