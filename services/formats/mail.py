"""Mail (.eml, a saved page in one file, a mailbox file) -> the message as page 1, then the pages of its attachments.

Each attachment is read by the parser of its content, as "report.pdf · 3"; one that cannot be read becomes an unread
page that says why, and the rest goes on. `mail_parts` takes a message apart; here its parts become pages.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes
from itertools import chain

from services.formats import mail_parts, parts, registry
from services.formats.mail_parts import Attachment, Letter
from services.formats.page import FormatError, Header, Page
from services.formats.sniff import Family, sniff
from services.formats.source import Source
from services.text.normalise import normalise

MAX_DEPTH = 3
"""So many mails may lie one in the other; forwarded by hand they rarely pass two."""
MAX_ATTACHMENTS = 200
"""Of one file, all depths together; each costs at most the start of a parser."""
_ENVELOPE = re.compile(rb"(?:\A|(?<=\n))>?From [^\r\n]* \d{4}(?: [+-]\d{4})?\r?\n")  # begins a message of a mailbox
_UNREADABLE = "The attachment could not be read, it is probably damaged; open it, save it again and add that."
_TOO_DEEP = f"More than {MAX_DEPTH} mails lie one in the other; save this one as a file and add that."
_TOO_MANY = f"The mail has more than {MAX_ATTACHMENTS} attachments; save this one as a file and add that."
_TOO_LARGE = "The attachments are too large together; save this one as a file and add that."
_CUT = "The end of the mail is missing, it is probably cut off; get it again if you miss something."


@dataclass(slots=True)
class _Budget:
    """What the attachments of one file may still cost, all depths together."""

    bytes: int
    count: int = MAX_ATTACHMENTS


def parse(source: Source) -> Iterator[Header | Page]:
    """Give the message, then its attachments, each in pages. Raises FormatError: "encrypted", "empty"."""
    letters = (mail_parts.letter(message_from_bytes(data)) for data in _messages(source.read()))
    first = next(letters, Letter({}))
    budget = _Budget(source.max_unpacked_bytes)
    pages = chain.from_iterable(_pages(each, budget, 1) for each in chain([first], letters))
    for number, page in enumerate(pages, start=1):
        if number == 1:
            yield Header(Family.MAIL, first.subject)
        yield replace(page, number=number)
    if not first.text:
        raise FormatError("empty", "The mail is empty; add it again with its text.")


def _messages(data: bytes) -> Iterator[bytes]:
    """Give the messages of a mailbox file, or the one that a mail file is."""
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    starts = [match.span() for match in _ENVELOPE.finditer(data)] if data.startswith((b"From ", b">From ")) else []
    bounds = [0, *chain.from_iterable(starts), len(data)]
    for begin, end in zip(bounds[::2], bounds[1::2], strict=True):
        if message := data[begin:end].strip(b"\r\n"):
            yield message


def _pages(letter: Letter, budget: _Budget, depth: int) -> Iterator[Page]:
    """Give the pages of one message; their numbers are not yet those of the file."""
    text = normalise(letter.text)
    title = letter.subject[: parts.MAX_LABEL_CHARS]
    for page in parts.split(text, []) if text else ():
        yield replace(page, label=(title or "1") if page.number == 1 else f"{title} ({page.number})".lstrip())
    for attachment in letter.attachments:
        for page in _attached(attachment, budget, depth):
            yield replace(page, label=_label(attachment.name, page.label), lines=())  # places of another file
    if letter.cut:
        yield Page(1, title or "1", "", origin="unread", note=_CUT)


def _label(name: str, label: str) -> str:
    return f"{name[: parts.MAX_LABEL_CHARS]} · {label}" if label else name[: parts.MAX_LABEL_CHARS]


def _attached(attachment: Attachment, budget: _Budget, depth: int) -> Iterator[Page]:
    """Read one attachment; what goes wrong becomes a page that says so, after the pages that were good."""
    budget.count -= 1
    budget.bytes -= len(attachment.content)
    try:
        if budget.count < 0:
            raise FormatError("too_large", _TOO_MANY)
        if budget.bytes < 0:
            raise FormatError("too_large", _TOO_LARGE)
        yield from _read(attachment, budget, depth)
    except FormatError as error:
        yield Page(1, "", "", origin="unread", note=str(error))
    except (MemoryError, GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001  a reader in Rust panics past Exception; one file must not end the others
        yield Page(1, "", "", origin="unread", note=_UNREADABLE)


def _read(attachment: Attachment, budget: _Budget, depth: int) -> Iterator[Page]:
    source = Source(attachment.content, attachment.name, budget.bytes)
    message = attachment.message
    if message is None and attachment.content and sniff(source) is Family.MAIL:
        message = message_from_bytes(next(_messages(attachment.content), b""))
    if message is None:
        yield from (item for item in registry.parse(source) if isinstance(item, Page))
    elif depth >= MAX_DEPTH:
        raise FormatError("too_large", _TOO_DEEP)
    else:
        yield from _pages(mail_parts.letter(message), budget, depth + 1)
