"""Mails as programs of many years send them: any character set, any way to name an attachment."""

import base64
from collections.abc import Sequence
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP


def mail(
    subject: str, body: str, attachments: Sequence[tuple[str, bytes]] = (), *, html: str = "", sender: str = "a@b.c"
) -> EmailMessage:
    """Give a mail of today: UTF-8, names by RFC 2231; `html` stands beside the plain body."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, "kim@example.org", subject
    message["Date"] = "Mon, 02 Mar 2026 09:00:00 +0900"
    message.set_content(body)
    if html:
        message.add_alternative(html, subtype="html")
    for name, content in attachments:
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message


def old_mail(subject: str, body: str, name: str, content: bytes, *, charset: str = "euc-kr") -> bytes:
    """Give a mail of old Korean programs: encoded words in the subject and in the quoted name, 8-bit body."""
    lines = [
        b"From: a@b.c",
        b"Subject: " + Header(subject, charset, maxlinelen=60).encode().encode(),
        b"MIME-Version: 1.0",
        b'Content-Type: multipart/mixed; boundary="=_1"',
        b"",
        b"--=_1",
        b"Content-Type: text/plain; charset=" + charset.encode(),
        b"Content-Transfer-Encoding: 8bit",
        b"",
        body.encode("cp949"),
        b"--=_1",
        b"Content-Type: application/octet-stream",
        b"Content-Transfer-Encoding: base64",
        b'Content-Disposition: attachment; filename="' + Header(name, charset).encode().encode() + b'"',
        b"",
        base64.b64encode(content),
        b"--=_1--",
        b"",
    ]
    return b"\r\n".join(lines)
