"""A parsed message -> its fields in plain letters, its body as text, its attachments by name.

The old policy of `email` is taken on purpose: it hands out raw headers, so that a subject in raw 8-bit letters, a name
in any of three encodings and a character set that lies are read here by one ladder. The body is the plain text, or the
HTML where the plain text is only a stub. Pictures that decorate an HTML body, and signatures, are left out.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from email import message_from_bytes
from email.errors import CloseBoundaryNotFoundDefect, HeaderParseError, StartBoundaryNotFoundDefect
from email.header import decode_header
from email.message import Message
from pathlib import PurePath

from services.formats import html
from services.formats.decode import decode
from services.formats.page import FormatError
from services.text.normalise import normalise

_Message = Message  # of str headers and str payloads
_FIELDS = ("From", "To", "Cc", "Date", "Subject")
_STUB_SHARE = 0.3  # plain text shorter than this share of the HTML says only that the mail is HTML
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_STATEFUL = re.compile(r"iso-2022|utf-?7|utf-?16|utf-?32|hz", re.I)  # in these ASCII bytes mean other letters
_KOREAN = re.compile(r"euc-?kr|ks_?c|ksc|949|johab", re.I)  # names of one set; the ladder knows it and its lies
_LATIN = re.compile(r"(iso-?8859-?1|latin-?1|windows-1252|cp1252|(us-)?ascii|unknown-8bit|default|)$", re.I)
_WIDER = {"gb2312": "gb18030", "shift_jis": "cp932"}  # what programs write under these names
_SIGNATURES = frozenset(["application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"])
_SEALED = frozenset(["application/pkcs7-mime", "application/x-pkcs7-mime"])
_CUT = (CloseBoundaryNotFoundDefect, StartBoundaryNotFoundDefect)
_LOCKED = "The mail is encrypted; save its decrypted text or its attachments and add those."
_EXTENSIONS = {"text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics", "message/rfc822": ".eml"}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail; `message` is set, and `content` empty, when it is a mail that is parsed already."""

    name: str
    content: bytes
    message: _Message | None = None


@dataclass(slots=True)
class Letter:
    """A message taken apart."""

    fields: dict[str, str]
    body: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    cut: bool = False  # the message ends before its last part does

    @property
    def subject(self) -> str:
        """Give the subject in one line, "" for none."""
        return self.fields.get("Subject", "")

    @property
    def text(self) -> str:
        """Give what a reader sees: the fields, the body, the names of the attachments."""
        blocks = ["\n".join(f"{name}: {value}" for name, value in self.fields.items()), self.body]
        if self.attachments:
            blocks.append("Attachments: " + ", ".join(each.name for each in self.attachments))
        return "\n\n".join(block for block in blocks if block.strip())


def letter(message: _Message) -> Letter:
    """Take a message apart. Raises FormatError "encrypted"."""
    found = Letter({name: value for name in _FIELDS if (value := _field(message, name))})
    found.body = _body(message, found)
    found.cut = any(isinstance(defect, _CUT) for part in message.walk() for defect in part.defects)
    return found


def _field(message: _Message, name: str) -> str:
    return ", ".join(_words(value) for key, value in _raw_items(message) if key.lower() == name.lower() and value)


def _raw_items(message: _Message) -> list[tuple[str, str]]:
    """Give all header fields as text, raw 8-bit ones decoded by the ladder."""
    return [(key, _from_raw(str(value))) for key, value in message.raw_items()]


def _from_raw(value: str) -> str:
    data = value.encode("ascii", "surrogateescape") if not value.isascii() else None
    return _FOLD.sub("", (decode(data) or value) if data is not None else value)


def _words(value: str) -> str:
    """Decode the encoded words (RFC 2047), wherever they stand; neighbours may share a character."""
    try:
        pieces = decode_header(value)
    except (HeaderParseError, Base64Error, ValueError):
        pieces = [(value, None)]
    decoded = [_piece(data, charset) for data, charset in pieces]
    return " ".join(normalise("".join(decoded)).split())


def _piece(data: bytes | str, charset: str | None) -> str:
    if isinstance(data, str):
        return data
    return _decoded(data, charset) if charset else data.decode("raw-unicode-escape", errors="replace")


def _decoded(data: bytes, charset: str) -> str:
    """Decode what names its character set; the ladder is asked where the name is Korean, unknown or a lie."""
    text = None
    if _STATEFUL.match(charset):
        text = _strict(data, charset)
    elif _LATIN.match(charset):
        text = None if _strict(data, "utf-8") is not None or _is_korean(data) else _strict(data, "cp1252")
    elif not _KOREAN.search(charset):
        text = _strict(data, _WIDER.get(charset.lower(), charset))
    return text if text is not None else decode(data) or data.decode("latin-1")


def _strict(data: bytes, charset: str) -> str | None:
    try:
        return data.decode(charset)
    except (UnicodeError, LookupError, ValueError):
        return None


def _is_korean(data: bytes) -> bool:
    """Say whether bytes called Latin are Korean ones: Latin letters are rarely pairs that CP949 knows as Hangul."""
    text = _strict(data, "cp949") or ""
    foreign = [char for char in text if char > "\x7f"]
    return sum("가" <= char <= "힣" for char in foreign) > len(foreign) / 2


def _body(part: _Message, found: Letter) -> str:
    """Give the text of a part to be read at once; what is a file goes to `found`."""
    kind = part.get_content_type()
    if (kind in _SEALED and part.get_param("smime-type") != "signed-data") or kind == "multipart/encrypted":
        raise FormatError("encrypted", _LOCKED)
    if kind == "multipart/alternative":
        return _alternative(part, found)
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        inner = [each for each in part.get_payload() if not _decorates(each, kind)]
        return "\n\n".join(filter(None, (_body(each, found) for each in inner)))  # type: ignore[arg-type]
    if kind in ("text/plain", "text/html") and not _name(part) and part.get_content_disposition() != "attachment":
        return _text(part)
    if kind not in _SIGNATURES:
        found.attachments.append(_attachment(part))
    return ""


def _alternative(part: _Message, found: Letter) -> str:
    """Give the plain form, or the HTML where the plain one is a stub of it; files lie only beside the HTML."""
    plain = rich = ""
    for each in part.get_payload() if part.is_multipart() else ():
        assert isinstance(each, Message)
        if each.get_content_type() == "text/plain":
            plain = plain or _body(each, found)
        elif each.get_content_maintype() != "text" or each.get_content_type() == "text/html":
            rich = rich or _body(each, found)
    return rich if len(plain.strip()) < _STUB_SHARE * len(rich) else plain


def _decorates(part: object, kind: str) -> bool:
    """Tell a picture that only stands inside an HTML body."""
    if not isinstance(part, Message) or kind != "multipart/related":
        return False
    return part.get_content_maintype() == "image" and part.get_content_disposition() != "attachment"


def _text(part: _Message) -> str:
    text = _decoded(_bytes(part), str(part.get_content_charset() or ""))
    return html.readable(text)[1] if part.get_content_type() == "text/html" else normalise(text).strip()


def _bytes(part: _Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _attachment(part: _Message) -> Attachment:
    kind = part.get_content_type()
    if part.get_content_maintype() != "message":
        return Attachment(_name(part) or "unnamed" + _EXTENSIONS.get(kind, ""), _bytes(part))
    inner = part.get_payload()
    first = inner[0] if isinstance(inner, list) and inner else None
    if kind != "message/rfc822" or not isinstance(first, Message):  # the report of a mail server, as text
        return Attachment(_name(part) or "report.txt", part.as_bytes())
    mail = first if first.keys() else _unpacked(first)
    return Attachment(_name(part) or (_field(mail, "Subject") or "mail") + ".eml", b"", mail)


def _unpacked(packed: _Message) -> _Message:
    """Read a mail that its sender put into base64, against RFC 2046, so that it was taken for a mail of one body."""
    try:
        return message_from_bytes(b64decode(str(packed.get_payload())))
    except ValueError:
        return packed


def _name(part: _Message) -> str:
    """Give the file's name without folders, from either header, in any of the ways that names are encoded."""
    for header, parameter in (("Content-Disposition", "filename"), ("Content-Type", "name")):
        raw = next((value for key, value in _raw_items(part) if key.lower() == header.lower()), None)
        if raw is None:
            continue
        bare = Message()
        bare[header] = raw
        value = bare.get_param(parameter, header=header)
        if isinstance(value, tuple):  # RFC 2231: character set, language, bytes as Latin-1
            value = _decoded(value[2].encode("latin-1", errors="replace"), value[0] or "utf-8")
        if value:
            return PurePath(_words(str(value)).replace("\\", "/")).name
    return ""
