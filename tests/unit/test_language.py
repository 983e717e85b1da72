"""What `services.text.language` promises."""

import pytest

from services.text.language import Language, ReplyLanguage, detect, reply_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("안전밸브의 작동 압력은 설계 압력 이하로 한다.", "ko"),
        ("The set pressure of a safety valve.", "en"),
        ("KGS AC111에 따른 안전밸브의 작동 압력은 얼마인가요?", "ko"),
        ("The word 서당 names a village school of old Korea.", "en"),
        ("What does 안전밸브 mean?", "mixed"),
        ("1,234 / 56 %", "und"),
        ("", "und"),
        ("これは日本語の文章です", "und"),
        ("Été à Zürich", "en"),
    ],
)
def test_detect__goes_by_the_share_of_scripts(text: str, language: Language) -> None:
    assert detect(text) == language


@pytest.mark.parametrize(
    ("question", "language"),
    [("작동 압력은?", "ko"), ("Set pressure?", "en"), ("What does 안전밸브 mean?", "ko"), ("42?", "en")],
)
def test_reply_language__is_korean_when_the_question_holds_korean(question: str, language: ReplyLanguage) -> None:
    assert reply_language(question) == language
