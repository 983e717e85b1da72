"""A model that sees reads the picture of a page.

In: a picture. Out: the text that the model says is on it, without places. It waits behind all that a person waits for.
"""

import re

from db.gate import Priority
from services.model.client import Call, ModelClient
from services.model.endpoint import Role
from services.model.errors import ReplyEmpty
from services.model.prompt import load_prompt
from services.model.request import ChatRequest, ImagePart, Message

PROMPT = "ocr"
CALL = Call(Role.OCR, Priority.BACKGROUND, "ocr")

_FENCED = re.compile(r"\A```[^\n]*\n(.*?)\n?```\Z", re.S)
_NO_TEXT = re.compile(r"\W*no text\W*", re.I)


def prompt_version() -> str:
    """Name the prompt, which is kept with every page that was read by it."""
    return load_prompt(PROMPT).version


async def read_picture(models: ModelClient, image: ImagePart) -> str:
    """Give the text on a picture, "" when the model sees none.

    Raises:
        ModelError: the call failed; see services/model/errors.py.
    """
    prompt = load_prompt(PROMPT)
    *before, (who, asked) = prompt.fill()
    messages = (*(Message(speaker, text) for speaker, text in before), Message(who, asked, images=(image,)))
    try:
        said = await models.chat(CALL, ChatRequest(messages, prompt.header.max_tokens))
    except ReplyEmpty:  # some say nothing where they were asked to say that there is nothing
        return ""
    return _without_frame(said.reply.text)


def _without_frame(reply: str) -> str:
    text = reply.strip()
    fenced = _FENCED.match(text)
    text = fenced[1] if fenced else text
    return "" if _NO_TEXT.fullmatch(text) else text
