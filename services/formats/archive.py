"""Zip-based documents, checked before anything in them is unpacked."""

import re
import zipfile
import zlib
from typing import BinaryIO

from services.formats.page import FormatError

MAX_MEMBERS = 20_000  # a 5,000-picture document has about 5,100; a central directory can claim 4 billion
READ_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError)
_PROLOGUE_BYTES = 4_096  # a document type must stand before the first element
_MARKUP = (".xml", ".rels", ".xhtml", ".opf", ".ncx")
_DOCTYPE = re.compile(rb"<\x00?!\x00?D\x00?O\x00?C\x00?T\x00?Y\x00?P\x00?E|<\x00?!\x00?E\x00?N\x00?T\x00?I\x00?T\x00?Y")

_ENTITY = re.compile(rb"<\x00?!\x00?E\x00?N\x00?T\x00?I\x00?T\x00?Y")


def open_zip(file: BinaryIO) -> zipfile.ZipFile:
    """Open the archive's table of contents. Raises FormatError("corrupt") when there is none."""
    try:
        return zipfile.ZipFile(file)
    except READ_ERRORS as error:
        raise damaged(error) from error


def damaged(error: BaseException) -> FormatError:
    """Say that the package is cut or damaged, with `error` as its cause for the log."""
    message = "The file is cut off or damaged; get it again from where it came from."
    return FormatError("corrupt", message, repr(error)[:300])


def check(archive: zipfile.ZipFile, max_unpacked_bytes: int, *, doctypes: bool = False) -> None:
    """Refuse bombs by what the archive says of itself; zipfile never unpacks more of a member than it says.

    `doctypes` are let pass in formats whose honest files have them (EPUB, OpenDocument); entities never are.

    Raises:
        FormatError: "too_large" for the sum of sizes, the count of members, or XML that declares entities
        (OOXML
            forbids document types, so one is there only to expand); "encrypted"; "corrupt".
    """
    members = archive.infolist()
    if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > max_unpacked_bytes:
        limit = f"{max_unpacked_bytes // 2**20:,} MiB"
        raise FormatError("too_large", f"The file unpacks to more than {limit}; split it or make its pictures smaller.")
    if any(member.flag_bits & 0x1 for member in members):
        raise FormatError("encrypted", "The file is locked by a password; save it without one and add it again.")
    refused = _ENTITY if doctypes else _DOCTYPE
    for member in members:
        if member.filename.lower().endswith(_MARKUP) and refused.search(_prologue(archive, member)):
            message = "The file declares XML entities, as bombs do; save it again as a new document."
            raise FormatError("too_large", message)


def _prologue(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(member) as file:
            return file.read(_PROLOGUE_BYTES)
    except READ_ERRORS as error:
        raise damaged(error) from error
