"""Write a digest as a Markdown document: pure.

In: groups of documents with what a model said of them, or nothing. Out: the text in the language of most of them. Where
no model spoke, each document speaks by its summary or its first sentence.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from db.digest_rows import DigestDocument
from services.text.language import ReplyLanguage, detect
from services.text.sentences import sentences

SENTENCE_CHARS = 240
"""A first sentence, or a summary, is cut at so many characters: about three lines of a page."""

KINDS_KO = {
    "law": "법령",
    "standard": "표준",
    "manual": "매뉴얼",
    "paper": "논문",
    "book": "책",
    "report": "보고서",
    "contract": "계약서",
    "minutes": "회의록",
    "form": "서식",
    "notice": "공지",
    "article": "기사",
    "letter": "서신",
    "data": "데이터",
    "news": "뉴스",
    "law_monitor": "법령 동향",
    "note": "노트",
}
"""Kinds with a Korean name; another one is called by its own word."""

WORDS = {
    "en": {
        "title": "Digest {day}",
        "came": "New documents from {since} to {slot}: {documents}.",
        "restricted": "Restricted and not summarised: {restricted}.",
        "more": "Not listed here: {more}, the oldest ones.",
        "by_model": "Sentences that end with a number were written by a model: check them at their sources.",
        "no_kind": "other",
        "sources": "Sources",
        "page": "page {page}",
    },
    "ko": {
        "title": "{day} 새 문서 요약",
        "came": "{since}부터 {slot}까지 새로 들어온 문서는 {documents}건입니다.",
        "restricted": "제한 자료 {restricted}건은 요약하지 않았습니다.",
        "more": "오래된 {more}건은 여기에 싣지 않았습니다.",
        "by_model": "번호로 끝나는 문장은 모델이 썼습니다. 출처에서 확인하세요.",
        "no_kind": "기타",
        "sources": "출처",
        "page": "{page}쪽",
    },
}

_MARKER_LIKE = re.compile(r"\[(\d[\d\s,]*)\]")
_IN_LINKS = str.maketrans("[]", "()")
_HEADING = re.compile(r"\A#{1,6}\s+")


@dataclass(frozen=True, slots=True)
class Group:
    """Documents of one collection and kind by their numbers in the digest, newest first.

    `sentences` is what a model said of them; empty where none did.
    """

    collection: str
    kind: str | None
    documents: Mapping[int, DigestDocument]
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """What a digest says of itself.

    Attributes:
        scheduled: False where a person asked for it, so that there may be several a day.
        more: documents that are counted and not listed.
    """

    since: datetime
    slot: datetime
    zone: tzinfo | None
    language: ReplyLanguage
    scheduled: bool
    documents: int
    restricted: int
    more: int


def language_of(documents: Sequence[DigestDocument]) -> ReplyLanguage:
    """Choose Korean where at least half of the documents are written in it."""
    korean = sum((document.language or detect(document.head)) in ("ko", "mixed") for document in documents)
    return "ko" if 2 * korean >= len(documents) else "en"


def grouped(documents: Sequence[DigestDocument]) -> list[Group]:
    """Group documents by collection, then kind, both in the order of the alphabet, and number them in that order."""
    keys = sorted({_key(document) for document in documents}, key=lambda key: (key[0], key[1] is None, key[1] or ""))
    groups, first = [], 1
    for key in keys:
        of_key = [document for document in documents if _key(document) == key]
        groups.append(Group(*key, dict(enumerate(of_key, start=first))))
        first += len(of_key)
    return groups


def _key(document: DigestDocument) -> tuple[str, str | None]:
    return document.collection, document.material_type


def file_name(frame: Frame) -> str:
    """Name the file: by the day, and by the minute where a person asked."""
    return f"digest-{_day(frame).replace(' ', '-').replace(':', '')}.md"


def write(frame: Frame, groups: Sequence[Group]) -> str:
    """Write the document: what came in, by collection and kind, and where each of it stands."""
    words = WORDS[frame.language]
    lines = [f"# {words['title'].format(day=_day(frame))}", "", _preface(frame, groups), ""]
    collection = None
    for group in groups:
        if group.collection != collection:
            collection = group.collection
            lines += [f"## {_plain(collection)}", ""]
        lines += [f"### {_kind(group.kind, frame.language)}", "", *_body(group), ""]
    return "\n".join([*lines, f"## {words['sources']}", "", *_sources(groups, words["page"]), ""])


def _preface(frame: Frame, groups: Sequence[Group]) -> str:
    words = WORDS[frame.language]
    facts = {
        "since": _minute(frame.since, frame.zone),
        "slot": _minute(frame.slot, frame.zone),
        "documents": frame.documents,
        "restricted": frame.restricted,
        "more": frame.more,
    }
    said = [words["came"]]
    said += [words["restricted"]] if frame.restricted else []
    said += [words["more"]] if frame.more else []
    said += [words["by_model"]] if any(group.sentences for group in groups) else []
    return " ".join(sentence.format(**facts) for sentence in said)


def _minute(moment: datetime, zone: tzinfo | None) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _day(frame: Frame) -> str:
    minute = _minute(frame.slot, frame.zone)
    return minute[:10] if frame.scheduled else minute


def _kind(kind: str | None, language: ReplyLanguage) -> str:
    if kind is None:
        return WORDS[language]["no_kind"]
    return KINDS_KO.get(kind, _plain(kind)) if language == "ko" else _plain(kind)


def _body(group: Group) -> Iterator[str]:
    if group.sentences:
        yield " ".join(group.sentences)
        return
    for n, document in group.documents.items():
        said = gist(document)
        yield f"- {_plain(document.title)}" + (f" — {said} [{n}]" if said else f" [{n}]")


def gist(document: DigestDocument) -> str:
    """Give a document's summary, or its first sentence that is not its title, cut to a few lines; "" without text."""
    if document.summary and document.summary.strip():
        return _cut(_plain(document.summary))
    said = (_plain(_HEADING.sub("", document.head[span.start : span.end])) for span in sentences(document.head))
    title = _plain(document.title)
    return _cut(next((sentence for sentence in said if sentence and sentence != title), ""))


def _cut(text: str) -> str:
    if len(text) <= SENTENCE_CHARS:
        return text
    head = text[: SENTENCE_CHARS - 1]
    return f"{head.rsplit(' ', 1)[0] if ' ' in head else head}…"


def _plain(text: str) -> str:
    """Put a text on one line, where nothing in it can be taken for a citation of the digest's own."""
    return _MARKER_LIKE.sub(r"(\1)", " ".join(text.split()))


def _sources(groups: Sequence[Group], page: str) -> Iterator[str]:
    for group in groups:
        for n, document in group.documents.items():
            where = page.format(page=document.page)
            title = _plain(document.title).translate(_IN_LINKS)
            yield f"- [{n}] [{title}](/api/documents/{document.id}/pages/{document.page}), {where}"
