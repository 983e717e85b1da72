"""What a model hears again of a chat: both sides in turns, the newest, as much as fits."""

from dataclasses import replace

from db.chat_rows import SaidBefore
from services.answer.chat_history import remembered
from services.model.budget import tokens_of
from services.model.endpoint import Endpoint, Role
from services.model.request import ChatRequest, Message

ALONE = ChatRequest((Message("system", "규칙"), Message("user", "질문")), max_tokens=100)
ENDPOINT = Endpoint(Role.PRIMARY, "http://127.0.0.1:1", "m", None, 60.0, 1)
SAID = [SaidBefore("셋째", "세 번째 답 [1][2]."), SaidBefore("둘째", "두 번째 답"), SaidBefore("첫째", "첫 번째 답")]


def test_remembered__oldest_first_and_without_the_numbers_of_passages() -> None:
    messages = remembered(SAID, ENDPOINT, ALONE)
    assert [message.role for message in messages] == ["user", "assistant"] * 3
    assert [message.content for message in messages][::2] == ["첫째", "둘째", "셋째"]
    assert messages[-1].content == "세 번째 답."


def test_remembered__the_oldest_goes_first_where_there_is_little_room() -> None:
    for context_tokens, kept in ((400, 3), (320, 2), (270, 1), (200, 0)):
        messages = remembered(SAID, replace(ENDPOINT, context_tokens=context_tokens), ALONE)
        assert [message.content for message in messages][::2] == ["첫째", "둘째", "셋째"][3 - kept :], context_tokens


def test_remembered__never_takes_more_than_half_of_the_room() -> None:
    long = [SaidBefore("질문 " * 200, "답 " * 200)] * 10
    messages = remembered(long, replace(ENDPOINT, context_tokens=4000), ALONE)
    assert 1000 < sum(tokens_of(message.content) for message in messages) < 2000


def test_remembered__nothing_said_is_nothing() -> None:
    assert remembered([], ENDPOINT, ALONE) == ()
