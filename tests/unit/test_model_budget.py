"""The budget: no text counts less here than a real tokenizer counts, and what passes leaves room for the reply."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.model.budget import check_budget, room_chars, room_tokens, tokens_in, tokens_of
from services.model.endpoint import Endpoint, Role
from services.model.errors import PromptTooLong
from services.model.request import ChatRequest, Message, Tool

ENDPOINT = Endpoint(Role.PRIMARY, "http://127.0.0.1:1", None, None, 60.0, 1, context_tokens=2048)

COUNTED = {
    "연차유급휴가는 1년간 80퍼센트 이상 출근한 근로자에게 15일을 주어야 한다. 계속하여 근로한 기간이 1년 미만인 "
    "근로자에게는 1개월 개근 시 1일의 유급휴가를 주어야 한다.": 76,
    "안전밸브의 분출압력은 최고사용압력 이하로 설정하고, 매년 1회 이상 교정검사를 받아야 한다(「고압가스 안전관리법」 "
    "제16조의2).": 58,
    "| 구분 | 기준 | 비고 |\n|---|---|---|\n| 근속 1년 | 15일 | 전일제 |\n| 근속 3년 | 16일 | 2년마다 +1일 |\n": 55,
    "The safety valve shall be set to open at or below the maximum allowable working pressure, and it must be "
    "recalibrated at least once a year by an accredited laboratory.": 34,
    "서당(Seodang)은 PostgreSQL 15+와 pgvector 0.7을 쓰며, HTTP 서버는 127.0.0.1:8765에서 듣는다.": 51,
    '{"answer": "15일", "claims": [{"text": "연차는 15일이다.", "evidence": [1, 3], "confidence": 0.92}]}': 44,
    "async def chat(connection: Connection, request: ChatRequest) -> Reply:\n    habits = habits_of(connection)\n"
    "    return await _ask(connection, request, extras)\n": 41,
    "2024-11-20 13:45:07, 1,234,567.89 kPa; 0x7f3a9c; 010-1234-5678; 제2024-118호": 71,
    "①②③ ℃ ㎏/㎠ ± 0.5 → Ⅲ형 「별표 1」 ※ 참고 ・ 2㎜ × 3㎜": 39,
    "憲法 第十條 모든 國民은 人間으로서의 尊嚴과 價値를 가지며 幸福을 追求할 權利를 가진다.": 46,
    "좋아요 👍🏻 감사합니다 🙏 🇰🇷 ✅ 완료!": 23,
}
"""Text: the highest count of the tokenizers of Qwen 3, Gemma 3, Llama 3, DeepSeek V3 and o200k."""


@pytest.mark.parametrize("text", COUNTED, ids=lambda text: text[:20])
def test_tokens_of__is_not_under_what_tokenizers_count_and_not_far_over(text: str) -> None:
    assert COUNTED[text] * 0.97 <= tokens_of(text) <= COUNTED[text] * 1.75


@settings(deadline=None)
@given(st.text(), st.text())
def test_tokens_of__grows_with_the_text(a: str, b: str) -> None:
    # Two halves of a long word count more when joined, since a long word is taken for a code.
    assert tokens_of(a) <= tokens_of(a + b) + 1
    assert tokens_of(a + b) <= tokens_of(a) + tokens_of(b) + 12
    assert tokens_of("") == 0


def asking(text: str, **words: object) -> ChatRequest:
    """Ask with one message."""
    return dataclasses.replace(ChatRequest((Message("user", text),), max_tokens=500), **words)  # type: ignore[arg-type]


def test_check_budget__counts_prompt_reply_and_tools() -> None:
    check_budget(ENDPOINT, asking("가" * 1400))
    tool = Tool("weather", "날씨" * 200, {"type": "object"})
    for request in (asking("가" * 1600), asking("가" * 1400, max_tokens=700), asking("가" * 1400, tools=(tool,))):
        with pytest.raises(PromptTooLong) as caught:
            check_budget(ENDPOINT, request)
        assert "2048" in str(caught.value)
        assert "SEODANG_MODELS__PRIMARY__CONTEXT_TOKENS" in caught.value.hint


def test_check_budget__lets_all_pass_where_no_context_is_set() -> None:
    unknown = dataclasses.replace(ENDPOINT, context_tokens=None)
    check_budget(unknown, asking("가" * 100_000))
    assert room_tokens(unknown, asking("")) is None
    assert room_chars(unknown, asking(""), "가" * 100_000) == 100_000


@settings(deadline=None)
@given(st.text(alphabet="가나 aB1\n漢🙂.", max_size=4000), st.integers(0, 1500))
def test_room_chars__is_what_passes(text: str, taken: int) -> None:
    request = asking("가" * taken)
    fits = room_chars(ENDPOINT, request, text)
    assert 0 <= fits <= len(text)
    room = room_tokens(ENDPOINT, request)
    assert room is not None
    assert tokens_of(text[:fits]) <= room
    if room > tokens_in(asking("")):
        check_budget(ENDPOINT, asking("가" * taken + text[:fits], max_tokens=494))
