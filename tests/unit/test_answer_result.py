"""What `services.answer.result` promises."""

from typing import get_args

import pytest

from services.answer.result import Reason, refuse
from services.text.language import ReplyLanguage, detect


@pytest.mark.parametrize("reason", get_args(Reason))
@pytest.mark.parametrize("language", get_args(ReplyLanguage))
def test_refuse__has_a_sentence_for_each_reason_in_each_language(reason: Reason, language: ReplyLanguage) -> None:
    refusal = refuse(reason, language)
    assert refusal.reason == reason
    assert detect(refusal.sentence) == language
