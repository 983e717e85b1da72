"""How a digest reads, in Korean and English, with a model's words and without."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.document.digest_text import Frame, file_name, gist, grouped, language_of, write
from tests.unit.test_digest_summary import document

FRAME = Frame(
    since=datetime(2026, 11, 19, 22, tzinfo=UTC),
    slot=datetime(2026, 11, 20, 22, tzinfo=UTC),
    zone=ZoneInfo("Asia/Seoul"),
    language="ko",
    scheduled=True,
    documents=3,
    restricted=0,
    more=0,
)
DOCUMENTS = [
    document(id=9, title="메모 [2]", material_type=None, head="# 메모 [2]\n\n펌프를 [1] 바꾼다. 둘째 문장이다."),
    document(id=8, collection="archive", material_type=None, title="회의"),
    document(id=7, summary="밸브 점검 요약."),
]


def test_write__lists_collections_and_kinds_with_their_sources() -> None:
    assert write(FRAME, grouped(DOCUMENTS)) == (
        """# 2026-11-21 새 문서 요약

2026-11-20 07:00부터 2026-11-21 07:00까지 새로 들어온 문서는 3건입니다.

## archive

### 기타

- 회의 — 안전밸브의 작동 압력은 1.2 MPa이고, 예산은 1,200만 원이다. [1]

## default

### 매뉴얼

- 점검 지침 — 밸브 점검 요약. [2]

### 기타

- 메모 (2) — 펌프를 (1) 바꾼다. [3]

## 출처

- [1] [회의](/api/documents/8/pages/1), 1쪽
- [2] [점검 지침](/api/documents/7/pages/1), 1쪽
- [3] [메모 (2)](/api/documents/9/pages/1), 1쪽
"""
    )


def test_write__says_in_english_what_is_left_out_and_who_wrote() -> None:
    frame = replace(FRAME, language="en", documents=4, restricted=2, more=3)
    (group,) = grouped(DOCUMENTS[2:])
    text = write(frame, [replace(group, sentences=("The valve was checked [1].",))])
    assert text.startswith("# Digest 2026-11-21\n\nNew documents from 2026-11-20 07:00 to 2026-11-21 07:00: 4. ")
    assert "Restricted and not summarised: 2. Not listed here: 3, the oldest ones. Sentences that end with" in text
    assert "### manual\n\nThe valve was checked [1].\n\n## Sources\n" in text


def test_file_name__has_the_minute_where_a_person_asked() -> None:
    assert file_name(FRAME) == "digest-2026-11-21.md"
    assert file_name(replace(FRAME, scheduled=False)) == "digest-2026-11-21-0700.md"


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("점검 지침\n\n본문은 짧다.", "본문은 짧다."),
        ("점검 지침", ""),
        ("", ""),
        ("가" * 400, "가" * 239 + "…"),
        ("word " * 90, ("word " * 47).rstrip() + "…"),
    ],
)
def test_gist__is_the_first_sentence_that_is_not_the_title(head: str, said: str) -> None:
    assert gist(document(head=head)) == said


def test_language_of__is_that_of_most_documents() -> None:
    english = document(language=None, head="The boiler is inspected every month.")
    assert language_of([document(), document(), english]) == "ko"
    assert language_of([document(), english, english]) == "en"
