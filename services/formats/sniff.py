"""The first bytes of a file -> its family. The name is believed only between Markdown and plain text.

Families nobody parses are told apart too, so that the user reads what the file is and what to do.
"""

import re
import zipfile
from enum import StrEnum

import olefile

from services.formats import archive
from services.formats.decode import decode
from services.formats.page import FormatError
from services.formats.source import Source


class Family(StrEnum):
    """Kinds of file; the value is the media type."""

    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    HTML = "text/html"
    MARKDOWN = "text/markdown"
    TEXT = "text/plain"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    XLSB = "application/vnd.ms-excel.sheet.binary.macroenabled.12"
    XLS = "application/vnd.ms-excel"
    PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    OFFICE = "application/vnd.openxmlformats-package"
    OFFICE_LOCKED = "application/vnd.ms-office.encrypted"
    OFFICE_OLD = "application/x-ole-storage"
    OUTLOOK = "application/vnd.ms-outlook"
    TNEF = "application/vnd.ms-tnef"
    HWP = "application/x-hwp"
    HWPX = "application/hwp+zip"
    ODT = "application/vnd.oasis.opendocument.text"
    ODP = "application/vnd.oasis.opendocument.presentation"
    ODS = "application/vnd.oasis.opendocument.spreadsheet"
    ODF = "application/vnd.oasis.opendocument"
    EPUB = "application/epub+zip"
    MAIL = "message/rfc822"
    RTF = "application/rtf"
    IMAGE = "image/*"
    IMAGE_HEIF = "image/heif"
    MEDIA = "audio/*"
    ARCHIVE = "application/zip"
    PROGRAM = "application/x-executable"
    UNKNOWN = "application/octet-stream"


TEXTUAL = frozenset({Family.HTML, Family.MARKDOWN, Family.TEXT})

_HEAD_BYTES = 65_536
_PDF_WINDOW = 1_024  # readers accept the header in the first 1,024 bytes (PDF 32000-1, annex H.3.4.1)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAGIC: tuple[tuple[bytes, Family], ...] = (
    (b"HWP Document File", Family.HWP),
    (b"\x78\x9f\x3e\x22", Family.TNEF),
    (b"{\\rtf", Family.RTF),
    (b"\x89PNG\r\n", Family.IMAGE),
    (b"\xff\xd8\xff", Family.IMAGE),
    (b"GIF8", Family.IMAGE),
    (b"II*\x00", Family.IMAGE),
    (b"MM\x00*", Family.IMAGE),
    (b"BM", Family.IMAGE),
    (b"\x7fELF", Family.PROGRAM),
    (b"MZ", Family.PROGRAM),
    (b"\xca\xfe\xba\xbe", Family.PROGRAM),
    (b"\xcf\xfa\xed\xfe", Family.PROGRAM),
    (b"\x1f\x8b", Family.ARCHIVE),
    (b"BZh", Family.ARCHIVE),
    (b"\xfd7zXZ\x00", Family.ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", Family.ARCHIVE),
    (b"Rar!\x1a\x07", Family.ARCHIVE),
    (b"ID3", Family.MEDIA),
    (b"OggS", Family.MEDIA),
    (b"fLaC", Family.MEDIA),
)
_SHORT_MAGIC = (b"MZ", b"BM", b"ID3", b"BZh")  # also the beginning of words: the rest must not be text
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis"})
_RIFF = {b"WEBP": Family.IMAGE, b"WAVE": Family.MEDIA, b"AVI ": Family.MEDIA}
_ZIP_MIMETYPES = (
    ("application/epub+zip", Family.EPUB),
    ("application/hwp+zip", Family.HWPX),
    ("application/vnd.oasis.opendocument.text", Family.ODT),
    ("application/vnd.oasis.opendocument.presentation", Family.ODP),
    ("application/vnd.oasis.opendocument.spreadsheet", Family.ODS),
    ("application/vnd.oasis.opendocument", Family.ODF),
)
# Packages that a tool has packed anew may lack the member `mimetype`; these are in every one of their kind.
_MANIFESTS = ("META-INF/manifest.xml", "META-INF/container.xml")
_MANIFEST_MARKS = (*_ZIP_MIMETYPES, ("application/oebps-package+xml", Family.EPUB))
# Templates, shows and files with macros: the parts inside are those of their plain kind.
OTHER_DOCX = (
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
    "application/vnd.ms-word.document.macroEnabled.main+xml",
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
)
OTHER_PPTX = (
    "application/vnd.openxmlformats-officedocument.presentationml.template.main+xml",
    "application/vnd.openxmlformats-officedocument.presentationml.slideshow.main+xml",
    "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml",
    "application/vnd.ms-powerpoint.template.macroEnabled.main+xml",
    "application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml",
)
_OTHER_XLSX = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml",
    "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    "application/vnd.ms-excel.template.macroEnabled.main+xml",
)
_CONTENT_TYPES = (
    ("wordprocessingml.document.main+xml", Family.DOCX),
    ("spreadsheetml.sheet.main+xml", Family.XLSX),
    ("presentationml.presentation.main+xml", Family.PPTX),
    ("ms-excel.sheet.binary.macroenabled.main", Family.XLSB),
    *((kind.lower(), Family.DOCX) for kind in OTHER_DOCX),
    *((kind.lower(), Family.XLSX) for kind in _OTHER_XLSX),
    *((kind.lower(), Family.PPTX) for kind in OTHER_PPTX),
)
# Streams in the root of an OLE file, in lower case; a document may hold others of them further down, as objects.
_OLE_STREAMS = (
    ("encryptedpackage", Family.OFFICE_LOCKED),
    ("bodytext", Family.HWP),
    ("viewtext", Family.HWP),
    ("fileheader", Family.HWP),
    ("\x05hwpsummaryinformation", Family.HWP),
    ("worddocument", Family.OFFICE_OLD),
    ("powerpoint document", Family.OFFICE_OLD),
    ("workbook", Family.XLS),
    ("book", Family.XLS),
    ("__properties_version1.0", Family.OUTLOOK),
)
# The same names as they stand in the bytes, for files whose directory cannot be read.
_OLE_STREAM_MARKS = (
    ("EncryptedPackage", Family.OFFICE_LOCKED),
    ("HwpSummaryInformation", Family.HWP),
    ("WordDocument", Family.OFFICE_OLD),
    ("PowerPoint Document", Family.OFFICE_OLD),
    ("Workbook", Family.XLS),
)
# A comment ends at its first end, in one way only: thirty of them before any other text took minutes.
_HTML_START = re.compile(
    r"\s*+(?:<\?xml[^>]*>\s*+|(?><!--.*?-->)\s*+)*+<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_HTML_TAG = re.compile(r"<(?:html|head|body|title|div|p|table|h[1-6]|span|ul|ol|br|article)\b[^<>]*>", re.I)
_HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml"})
_MARKDOWN_SUFFIXES = frozenset({".md", ".markdown", ".mdown", ".mdx", ".qmd"})
_MAIL_START = re.compile(rb"(\xef\xbb\xbf)?\s*(>?From [^\n]*\n)?")  # BOM, blank lines, the line of a mailbox file
_MAIL_SUFFIXES = frozenset({".eml", ".mht", ".mhtml"})
_MAIL_LINE = re.compile(rb"[!-9;-~]+:|[ \t]")  # RFC 5322, 2.2: a field's name is printable ASCII; or a folded line
_MAIL_FIELDS = frozenset([b"from", b"to", b"cc", b"subject", b"date"])
# Programs write these, people do not: a memo with "To:", "Place:" and "Date:" lines stays the text that it is.
_MAIL_TRACES = frozenset(
    [
        b"received",
        b"return-path",
        b"message-id",
        b"mime-version",
        b"delivered-to",
        b"content-type",
        b"content-transfer-encoding",
        b"x-mailer",
    ]
)
_CONTROLS = re.compile(rb"[\x01-\x07\x0b\x0e-\x19\x1c-\x1f]")
_CONTROL_SHARE = 0.01  # text has next to none; random bytes have 9 %
_NUL_SHARE = 0.3  # stray NULs in text are few; above this it is data (UTF-16 is asked before)


def sniff(source: Source) -> Family:
    """Tell what the file is. Raises FormatError: "empty" for no bytes at all, "corrupt" for a cut zip."""
    head = source.head(_HEAD_BYTES)
    if not head:
        raise FormatError("empty", "The file is empty (0 bytes); add it again when it is complete.")
    return _binary(source, head) or _textual(source, head)


def _binary(source: Source, head: bytes) -> Family | None:
    if _is_mail(head, source.suffix):  # before all others: a mail may hold raw bytes of any kind further down
        return Family.MAIL
    if _is_pdf(head):
        return Family.PDF
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(source)
    if head.startswith(_OLE):
        return _ole(source)
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return Family.IMAGE_HEIF if head[8:12] in _HEIF_BRANDS else Family.MEDIA
    return _by_magic(head)


def _is_pdf(head: bytes) -> bool:
    place = head[:_PDF_WINDOW].find(b"%PDF-")
    # A text that only speaks of "%PDF-" has no object after it.
    return place == 0 or (place > 0 and b" obj" in head[place:])


def _by_magic(head: bytes) -> Family | None:
    for mark, family in _MAGIC:
        if head.startswith(mark) and not (mark in _SHORT_MAGIC and _looks_like_text(head)):
            return family
    return None


def _zipped(source: Source) -> Family:
    with source.open() as file, archive.open_zip(file) as package:
        names = set(package.namelist())
        if "mimetype" in names:
            return _first_within(_member(package, "mimetype"), _ZIP_MIMETYPES) or Family.ARCHIVE
        if "[Content_Types].xml" in names:
            return _first_within(_member(package, "[Content_Types].xml"), _CONTENT_TYPES) or Family.OFFICE
        for name in names.intersection(_MANIFESTS):
            if family := _first_within(_member(package, name), _MANIFEST_MARKS):
                return family
    return Family.ARCHIVE


def _member(package: zipfile.ZipFile, name: str) -> str:
    try:
        with package.open(name) as file:
            return file.read(_HEAD_BYTES * 4).decode("utf-8", errors="replace")
    except (*archive.READ_ERRORS, RuntimeError) as error:  # RuntimeError: the member asks for a password
        raise archive.damaged(error) from error


def _first_within(text: str, table: tuple[tuple[str, Family], ...]) -> Family | None:
    text = text.lower()
    return next((family for mark, family in table if mark in text), None)


def _ole(source: Source) -> Family:
    try:
        streams = _root_streams(source)
    except Exception as error:  # noqa: BLE001  a damaged directory fails in any way it likes
        return _damaged_ole(source, error)
    return next((family for name, family in _OLE_STREAMS if name in streams), Family.OFFICE_OLD)


def _root_streams(source: Source) -> frozenset[str]:
    """Name what stands in the root of an OLE file."""
    with source.open() as file, olefile.OleFileIO(file) as storage:
        return frozenset(str(entry.name).lower() for entry in storage.root.kids)


def _damaged_ole(source: Source, error: Exception) -> Family:
    """Tell the kind by a name anywhere in the bytes. Raises FormatError "corrupt" when none is left."""
    for name, family in _OLE_STREAM_MARKS:
        if source.contains(name.encode("utf-16-le")):
            return family
    raise archive.damaged(error) from error


def _textual(source: Source, head: bytes) -> Family:
    text = decode(head) if _looks_like_text(head) else None
    if text is None:
        return Family.UNKNOWN
    if _HTML_START.match(text) or (source.suffix in _HTML_SUFFIXES and _HTML_TAG.search(text)):
        return Family.HTML
    if text.lstrip().startswith("<") and len(_HTML_TAG.findall(text)) >= 2:
        return Family.HTML
    return Family.MARKDOWN if source.suffix in _MARKDOWN_SUFFIXES else Family.TEXT


def _looks_like_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    nuls = head.count(0)
    if nuls and _is_utf16(head):
        return True
    return nuls <= _NUL_SHARE * len(head) and len(_CONTROLS.findall(head)) <= _CONTROL_SHARE * len(head)


def _is_utf16(head: bytes) -> bool:
    text = decode(head)
    return text is not None and "\x00" not in text


def _is_mail(head: bytes, suffix: str) -> bool:
    """Look at the bytes of the header lines alone: a body may be in another character set, or in none."""
    block = _MAIL_START.sub(b"", head, count=1).replace(b"\r\n", b"\n").split(b"\n\n", 1)[0].split(b"\n")
    if len(head) == _HEAD_BYTES and len(block) > 1:
        block.pop()  # the last line is cut
    if not all(_MAIL_LINE.match(line) for line in block if line):
        return False
    names = {line.split(b":", 1)[0].lower() for line in block if line and line[:1] not in b" \t"}
    traces = names & _MAIL_TRACES
    return len(names & _MAIL_FIELDS | traces) >= 2 and bool(traces or suffix in _MAIL_SUFFIXES or names <= _MAIL_FIELDS)
