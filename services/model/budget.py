"""Whether a prompt fits into a model's context, reckoned before the call: pure, and without the model's tokenizer.

A server that takes no more either refuses (400), or cuts the prompt without a word (Ollama), or answers nothing
(LM Studio): so it is asked only what fits.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import TypeVar

from services.model.endpoint import Endpoint
from services.model.errors import PromptTooLong
from services.model.request import ChatRequest, ImagePart

K = TypeVar("K")
HANGUL = re.compile("[가-힣]")
WORD = re.compile("[A-Z]?[a-z]+|[A-Z]+")
DIGIT = re.compile("[0-9]")
BREAK = re.compile("[\n\r\t]| (?=[0-9])")
"""A space before a number stands alone (Qwen), others are part of the word after them."""
NOT_ASCII = re.compile("[^\x00-\x7f]+")

# Upper estimates over the tokenizers of Qwen 3, Gemma 3, Llama 3, DeepSeek V3 and GPT-4o (o200k), counted on samples of
# 1,000 characters: Korean rules, FAQ and news, English manuals, Python, Markdown tables, JSON, numbers, hanja, symbols.
# On running text none of them counted more than this estimate, which is 1.1 to 1.6 times their highest count. It is too
# low for Hangul syllables that no word has (2.7 tokens each), for base64 and the like (by a quarter), and for Llama 2
# and GPT-4 (cl100k) on Korean (by a third).
HANGUL_TOKENS = 1.0
WORD_TOKENS, LETTER_TOKENS = 0.4, 0.25
LONG_WORD_CHARS, LONG_LETTER_TOKENS = 16, 0.62
DIGIT_TOKENS = 1.0
SPACE_TOKENS, BREAK_TOKENS, SIGN_TOKENS = 0.25, 1.0, 1.0
BYTE_TOKENS = 0.75
"""Per UTF-8 byte of any other character: hanja 2.1 of 3 bytes, emoji 2.8 of 4, symbols 1.7 of 3."""

MESSAGE_TOKENS = 8
"""Role and marks around a message: 4 to 6 in the templates of Qwen, Llama and Gemma."""
TEMPLATE_TOKENS = 64
"""What templates put before all messages (a date, a default system sentence): up to about 40 in Llama 3's."""

PATCH_PIXELS, PICTURE_TOKENS = 28, 16
"""One token for each square of 28 x 28 pixels (Qwen 2 and 2.5 VL, which cut finest; Qwen 3 VL takes 32), and the marks
around a picture. Gemma 3 takes 256 for any picture, GPT-4o about 1,100 for a page."""


def tokens_of(text: str) -> int:
    """Estimate from above how many tokens a text has."""
    letters = [len(word) for word in WORD.findall(text)]
    hangul, digits = len(HANGUL.findall(text)), len(DIGIT.findall(text))
    others = NOT_ASCII.findall(text)
    breaks = BREAK.findall(text)
    spaces = text.count(" ") - breaks.count(" ")
    signs = len(text) - sum(map(len, others)) - sum(letters) - digits - spaces - len(breaks)
    other_bytes = sum(len(part.encode(errors="replace")) for part in others) - 3 * hangul
    return math.ceil(
        hangul * HANGUL_TOKENS
        + sum(map(_tokens_of_word, letters))
        + digits * DIGIT_TOKENS
        + spaces * SPACE_TOKENS
        + len(breaks) * BREAK_TOKENS
        + signs * SIGN_TOKENS
        + other_bytes * BYTE_TOKENS
    )


def _tokens_of_word(chars: int) -> float:
    # A longer run of letters is no word but a code, which no tokenizer knows.
    return WORD_TOKENS + chars * LETTER_TOKENS if chars <= LONG_WORD_CHARS else chars * LONG_LETTER_TOKENS


def tokens_in(request: ChatRequest) -> int:
    """Estimate from above the tokens of a whole request: messages, pictures, tools, the shape of its reply."""
    texts = [message.content for message in request.messages]
    texts += [call.arguments for message in request.messages for call in message.tool_calls]
    texts += [json.dumps([tool.name, tool.description, tool.parameters], ensure_ascii=False) for tool in request.tools]
    seen = sum(tokens_of_picture(image) for message in request.messages for image in message.images)
    return sum(map(tokens_of, texts)) + seen + MESSAGE_TOKENS * (len(texts) + 1) + TEMPLATE_TOKENS


def tokens_of_picture(image: ImagePart) -> int:
    """Estimate from above how many tokens a picture has."""
    return math.ceil(image.width / PATCH_PIXELS) * math.ceil(image.height / PATCH_PIXELS) + PICTURE_TOKENS


def check_budget(endpoint: Endpoint, request: ChatRequest) -> None:
    """Let a request pass that fits into the context together with its reply; any does where no context is set.

    Raises:
        PromptTooLong: it does not.
    """
    if endpoint.context_tokens is None:
        return
    needed, room = tokens_in(request), endpoint.context_tokens - request.max_tokens
    if needed > room:
        raise PromptTooLong(
            f"The prompt has about {needed} tokens; {endpoint.label} takes {endpoint.context_tokens}, "
            f"{request.max_tokens} of them for the reply.",
            f"Set SEODANG_MODELS__{endpoint.role.upper()}__CONTEXT_TOKENS to what the server really takes.",
        )


def room_tokens(endpoint: Endpoint, request: ChatRequest) -> int | None:
    """Say how many tokens of text may still be added to a request; None: no limit is known."""
    if endpoint.context_tokens is None:
        return None
    return max(endpoint.context_tokens - request.max_tokens - tokens_in(request), 0)


def room_chars(endpoint: Endpoint, request: ChatRequest, text: str) -> int:
    """Say how many characters from the head of a text may still be added to a request, so that it passes.

    Args:
        request: all but that text.
    """
    room = room_tokens(endpoint, request)
    if room is None or tokens_of(text) <= room:
        return len(text)
    fits, too_many = 0, len(text)
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        fits, too_many = (middle, too_many) if tokens_of(text[:middle]) <= room else (fits, middle)
    return fits


def first_within(written: Mapping[K, str], room: int | None) -> dict[K, str]:
    """Keep the first texts that fit into `room` tokens, and always one; None is all the room there is."""
    kept: dict[K, str] = {}
    used = 0
    for key, text in written.items():
        used += tokens_of(text) + 1
        if kept and room is not None and used > room:
            break
        kept[key] = text
    return kept
