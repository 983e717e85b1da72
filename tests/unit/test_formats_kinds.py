"""What a file is, told by its content: Office files with macros, templates, OLE files, mails and their like."""

import docx
import pytest

from services.formats.sniff import OTHER_DOCX, Family, sniff
from services.formats.source import Source
from tests.fakes.docx_writer import part, saved, with_part
from tests.fakes.mail_writer import mail
from tests.fakes.office_writer import xls
from tests.fakes.ole_writer import compound
from tests.fakes.parsing import UNPACKED_BYTES, parse, refusal

PLAIN = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def family(content: bytes, filename: str = "a.bin") -> Family:
    return sniff(Source(content, filename, UNPACKED_BYTES))


@pytest.mark.parametrize("kind", OTHER_DOCX)
def test_parse__reads_documents_with_macros_and_templates(kind: str) -> None:
    document = docx.Document()
    document.add_paragraph("밸브 K-1")
    package = saved(document)
    types = part(package, "[Content_Types].xml").replace(PLAIN, kind.encode())
    assert parse(with_part(package, "[Content_Types].xml", types))[1][0].text == "밸브 K-1"


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        ("Workbook", Family.XLS),
        ("Book", Family.XLS),
        ("WordDocument", Family.OFFICE_OLD),
        ("PowerPoint Document", Family.OFFICE_OLD),
        ("EncryptedPackage", Family.OFFICE_LOCKED),
        ("BodyText/Section0", Family.HWP),
        ("__properties_version1.0", Family.OUTLOOK),
        ("Something else", Family.OFFICE_OLD),
    ],
)
def test_sniff__tells_ole_files_by_what_stands_in_their_root(stream: str, kind: Family) -> None:
    inner = {"ObjectPool/Workbook": bytes(50), "ObjectPool/WordDocument": bytes(50)}
    assert family(compound({**inner, stream: bytes(5_000)})) is kind


def test_sniff__calls_an_ole_file_without_a_directory_damaged() -> None:
    assert refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)) == "corrupt"
    assert refusal(xls("점검", [["a", 1.0]])[:3_000]) == "corrupt"


@pytest.mark.parametrize(
    ("content", "filename", "kind"),
    [
        (mail("a", "b").as_bytes(), "a.txt", Family.MAIL),
        (b"\xef\xbb\xbf\r\nFrom: a@b.c\r\nSubject: a\r\n\r\nb", "a", Family.MAIL),
        (b"From: a\nSubject: b\nPlace: c\n\nd", "a.txt", Family.TEXT),
        (b"From: a\nSubject: b\nPlace: c\n\nd", "a.eml", Family.MAIL),
        (b"Subject: a\n\nFrom here on", "a.txt", Family.TEXT),
        (b"From: a@b.c\nMIME-Version: 1.0\nX-A: \x00\xff\xfe\n\n" + bytes(range(256)), "a", Family.MAIL),
    ],
)
def test_sniff__tells_mails_by_their_fields(content: bytes, filename: str, kind: Family) -> None:
    assert family(content, filename) is kind


def test_sniff__of_a_text_below_many_comments_takes_no_time() -> None:
    content = b"<!-- one -->\n" * 200 + b"# Words"
    assert family(content, "a.md") is Family.MARKDOWN
    assert family(b"<!-- one -->\n" * 200 + b"<html><p>Words", "a.txt") is Family.HTML
