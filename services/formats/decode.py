"""Bytes of unknown character set -> text, for Korean and English files.

The ladder, first fit wins: BOM; UTF-16 by its NULs; strict UTF-8 (the last character may be cut); typographic
quotes of Windows; strict CP949; Johab; the same three with a few damaged bytes; charset-normalizer.
Detectors alone take an English text with one CP949 line for ISO-8859-14 or CP1250 (measured:
hence the order. CP949 always, never EUC-KR, which lacks 8,822 of the
11,172 syllables.
"""

import codecs
import re
from collections.abc import Callable

import charset_normalizer

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its BOM begins with the one of UTF-16-LE
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PLAIN = re.compile("[\t\n\r\f -~\u1100-\u11ff\u2010-\u203b\u3000-\u303f\u3130-\u318f\uac00-\ud7a3\uff00-\uff5e]")
_HANGUL = re.compile("[\uac00-\ud7a3\u3130-\u318f]")
# CP1252: euro, ellipsis, quotes, bullet, dashes, trade mark, no-break space, copyright, registered, degree.
_WESTERN_PUNCTUATION = re.compile(rb"[\x00-\x7f\x80\x85\x91-\x97\x99\xa0\xa9\xae\xb0]*")
_SAMPLE_BYTES = 65_536  # charset-normalizer takes 0.1-1 s for this much; enough to know a language
_UTF16_PLAIN_SHARE = 0.9  # of the characters; Korean text with hanja stays above, other data far below
_JOHAB_HANGUL_SHARE = 0.9  # of the non-ASCII characters; Latin text read as Johab gives hanja instead
_DAMAGE_SHARE = 0.002  # replaced characters in a file that is still called UTF-8 or CP949


def decode(data: bytes) -> str | None:
    """Give the text of `data`, not normalised, or None when no character set fits (it is no text)."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    for rung in _RUNGS:
        text = rung(data)
        if text is not None:
            return text
    return None


def _utf16(data: bytes) -> str | None:
    if b"\x00" not in data or len(data) < 4:
        return None
    for encoding in ("utf-16-le", "utf-16-be"):
        text = _strict(data[: len(data) // 2 * 2], encoding)
        if text and len(_PLAIN.findall(text)) >= _UTF16_PLAIN_SHARE * len(text):
            return text
    return None


def _utf8(data: bytes) -> str | None:
    return _strict(data, "utf-8")


def _utf8_cut(data: bytes) -> str | None:
    """Take UTF-8 whose last character lost its end, and drop that character."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and error.end == len(data):
            return data[: error.start].decode("utf-8")
    return None


def _western(data: bytes) -> str | None:
    """Take English with curly quotes: in CP949 `\\x92t` of "don't" would be a valid, wrong syllable."""
    return _strict(data, "cp1252") if _WESTERN_PUNCTUATION.fullmatch(data) else None


def _cp949(data: bytes) -> str | None:
    return _strict(data, "cp949") or _cp949_cut(data)


def _cp949_cut(data: bytes) -> str | None:
    """Take CP949 that ends in the first half of a character; one byte more is no cut."""
    return _strict(data[:-1], "cp949") if data[-1:] >= b"\x81" else None


def _johab(data: bytes) -> str | None:
    text = _strict(data, "johab")
    if text is None:
        return None
    foreign = [char for char in text if char > "\x7f"]
    hangul = len(_HANGUL.findall(text))
    return text if hangul >= _JOHAB_HANGUL_SHARE * len(foreign) else None


def _damaged(encoding: str) -> Callable[[bytes], str | None]:
    def rung(data: bytes) -> str | None:
        text = data.decode(encoding, errors="replace")
        return text if text.count("\ufffd") <= _DAMAGE_SHARE * len(text) else None

    return rung


def _detected(data: bytes) -> str | None:
    best = charset_normalizer.from_bytes(data[:_SAMPLE_BYTES]).best()
    return data.decode(best.encoding, errors="replace") if best else None


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


_RUNGS = (
    _utf16,
    _utf8,
    _utf8_cut,
    _western,
    _cp949,
    _johab,
    _damaged("utf-8"),
    _damaged("cp949"),
    _detected,
)
