"""DOCX packages changed after the fact: a part added or replaced, as other writers and attackers leave them."""

import io
import zipfile

import docx


def saved(document: docx.document.Document) -> bytes:
    """Give the bytes of a python-docx document."""
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def with_part(package: bytes, name: str, content: bytes) -> bytes:
    """Give the package with one part replaced or added."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            if member.filename != name:
                new.writestr(member, old.read(member))
        new.writestr(name, content)
    return result.getvalue()


def part(package: bytes, name: str) -> bytes:
    """Give one part of the package."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return archive.read(name)
