"""A message with pictures, as it goes over the wire and counts against a model's context."""

import base64

import pytest

from services.model.budget import check_budget, tokens_in, tokens_of_picture
from services.model.endpoint import Endpoint, Role
from services.model.errors import PromptTooLong
from services.model.request import ChatRequest, ImagePart, Message, body_of

PAGE = ImagePart(b"\x89PNG", 1240, 1754)


def endpoint(context_tokens: int | None = None) -> Endpoint:
    return Endpoint(Role.OCR, "http://host", "sees", None, 60, 1, context_tokens)


def test_body__keeps_a_text_a_string_and_puts_pictures_before_theirs() -> None:
    messages = (Message("system", "You read."), Message("user", "Read this.", images=(PAGE,)))
    system, user = body_of(endpoint(), ChatRequest(messages, 100))["messages"]
    assert system == {"role": "system", "content": "You read."}
    address = f"data:image/png;base64,{base64.b64encode(PAGE.png).decode()}"
    assert user["content"] == [
        {"type": "image_url", "image_url": {"url": address}},
        {"type": "text", "text": "Read this."},
    ]


def test_tokens__count_a_picture_by_its_size_and_not_by_its_bytes() -> None:
    assert 2_700 < tokens_of_picture(PAGE) < 2_900
    plain = ChatRequest((Message("user", "Read this."),), 100)
    seen = ChatRequest((Message("user", "Read this.", images=(PAGE,)),), 100)
    assert tokens_in(seen) - tokens_in(plain) == tokens_of_picture(PAGE)


def test_check_budget__refuses_a_picture_that_does_not_fit() -> None:
    request = ChatRequest((Message("user", "Read this.", images=(PAGE,)),), 1_000)
    check_budget(endpoint(8_192), request)
    with pytest.raises(PromptTooLong, match="SEODANG_MODELS__OCR__CONTEXT_TOKENS"):
        check_budget(endpoint(3_000), request)
