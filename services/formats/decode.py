"""Bytes of unknown character set -> text, for Korean and English files.

The ladder, first fit wins: BOM; UTF-16 by its NULs; strict UTF-8 (the last character may be cut); typographic
quotes of Windows; GB2312 and Johab where CP949 gives syllables nobody writes; strict CP949; Johab; the same three
with a few damaged bytes; charset-normalizer.
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

# Syllables and signs that make up over 70 in a hundred of ordinary Korean and Chinese text.
_COMMON_HANGUL = frozenset(
    "이다의는에을고하가지를은한로나도사어기리자아시라서대으인그만들해전일었게과보제수정부있장것며스상여구러원주조소비안면년동성적우연모까무세선화"
    "문위계공경중오내신더없했명차말니습않할합된될때와및등용점검번호작업관단각간결물체회력품출입개설치방생양유트드터프크램파실행료음려럼든데바임식"
    "분국민본발통재저남북당달월또"
)
_COMMON_CHINESE = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现"
    "当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并"
    "物手应向头文体政美相见被利什二等产或新己制身果加西月话合回特代内信表化老给世位次度门任常先海通教原东声提立及比员解水名真论处走义各入几口认条"
    "平系气题活更别打女变四总何电数安少报才结反受目太量再感建务做接必场件计管期市直资命山金指许统区保至形社便空决治展科司五基书非则界达光放强即难"
    "且权思完设式路记南品住告类求据程北边张该交规万取望领共确传师观清今切院让识候带导争运请您检查编号周"
)
# Of 20,000 stretches of 8 syllables of Korean prose none, of 213 of mixed script none was taken for Chinese.
_CHINESE_CHARS = 8  # fewer tell nothing: two in a hundred pairs of syllables are common signs in GB2312
_JOHAB_CHARS = 4  # of 20,000 stretches of so many syllables none was taken for Johab, and nine in ten of Johab were
_HANGUL_MOST, _CHINESE_LEAST, _JOHAB_LEAST = 0.2, 0.5, 0.5  # shares of common ones as CP949, GB2312 and Johab


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


def _gb2312(data: bytes) -> str | None:
    """Take Chinese that passes for CP949, by the commonest signs of both; longer texts mostly fail as CP949."""
    korean, chinese = _strict(data, "cp949"), _strict(data, "gb2312")
    if korean is None or chinese is None or len(korean) != len(chinese):
        return None
    pairs = zip(korean[:_SAMPLE_BYTES], chinese[:_SAMPLE_BYTES], strict=True)  # both take the same bytes for a letter
    letters = [(one, other) for one, other in pairs if "\u4e00" <= other <= "\u9fff"]
    if len(letters) < _CHINESE_CHARS or _share([one for one, _ in letters], _COMMON_HANGUL) > _HANGUL_MOST:
        return None
    return chinese if _share([other for _, other in letters], _COMMON_CHINESE) >= _CHINESE_LEAST else None


def _johab_line(data: bytes) -> str | None:
    """Take a short Johab text whose every byte CP949 knows as well: more than 20 letters seldom pass."""
    korean, text = _strict(data, "cp949"), _strict(data, "johab")
    if korean is None or text is None:
        return None
    one, other = ([char for char in each[:_SAMPLE_BYTES] if char > "\x7f"] for each in (korean, text))
    if min(len(one), len(other)) < _JOHAB_CHARS or _share(one, _COMMON_HANGUL) > _HANGUL_MOST:
        return None
    return text if _share(other, _COMMON_HANGUL) >= _JOHAB_LEAST else None


def _share(chars: list[str], common: frozenset[str]) -> float:
    return sum(char in common for char in chars) / len(chars)


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
    _gb2312,
    _johab_line,
    _cp949,
    _johab,
    _damaged("utf-8"),
    _damaged("cp949"),
    _detected,
)
