"""Mail: fields, body and attachments, in the character sets and with the mistakes of real senders."""

import unicodedata
from email.message import EmailMessage

import pytest

from services.formats import mail as mail_format
from tests.fakes.mail_writer import mail, old_mail
from tests.fakes.office_writer import pptx, xlsx
from tests.fakes.parsing import parse, refusal

STUB = "이 메일은 HTML입니다."
RICH = (
    "<html><head><style>p{}</style></head><body><h1>공지</h1>"
    + "<p>밸브 K-1은 7일마다 점검한다.</p>" * 9
    + "</body></html>"
)


def test_parse__gives_the_message_then_its_attachments() -> None:
    files = [("표.xlsx", xlsx({"점검": [["값 A-1"]]})), ("슬라이드.pptx", pptx([("제목", "둘", ""), ("", "셋", "")]))]
    header, pages = parse(mail("점검 결과", "본문이다.", files).as_bytes())
    assert (header.media_type, header.title) == ("message/rfc822", "점검 결과")
    assert pages[0].text.splitlines()[-1] == "Attachments: 표.xlsx, 슬라이드.pptx"
    assert "Subject: 점검 결과\n\n본문이다." in pages[0].text
    assert [(page.number, page.label) for page in pages] == [
        (1, "점검 결과"),
        (2, "표.xlsx · 점검"),
        (3, "슬라이드.pptx · 제목"),
        (4, "슬라이드.pptx · 2"),
    ]
    assert pages[1].text == "값 A-1"


@pytest.mark.parametrize("charset", ["euc-kr", "ks_c_5601-1987", "cp949"])
def test_parse__reads_old_korean_mails(charset: str) -> None:
    subject = "점검 결과 알림: 이번 달 보고와 다음 달 계획에 대하여"
    content = old_mail(subject, "똠방 밸브 K-1", "보고서.txt", "첨부 내용".encode("cp949"), charset="euc-kr")
    header, pages = parse(content.replace(b"charset=euc-kr", b"charset=" + charset.encode()))
    assert header.title == subject
    assert "똠방 밸브 K-1" in pages[0].text
    assert (pages[1].label, pages[1].text) == ("보고서.txt · 1", "첨부 내용")


@pytest.mark.parametrize("charset", ["utf-8", "us-ascii", "iso-8859-1", "x-nonsense", ""])
def test_parse__does_not_believe_a_character_set_that_lies(charset: str) -> None:
    head = (
        b"From: a@b.c\r\nSubject: \xb3\xaf\xb0\xcd \xc1\xa6\xb8\xf1\r\nContent-Type: text/plain; charset="
        + charset.encode()
    )
    header, pages = parse(head + b"\r\n\r\n" + "· 밸브 점검 번호는 K-1이다.".encode("cp949"))
    assert header.title == "날것 제목"
    assert "밸브 점검 번호는 K-1이다." in pages[0].text


def test_parse__keeps_western_letters() -> None:
    content = (
        b"From: a@b.c\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n"
        + "Café à Genève".encode("latin-1")
    )
    assert "Café à Genève" in parse(content)[1][0].text


def test_parse__reads_seven_bit_korean() -> None:
    content = (
        b"From: a@b.c\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-2022-kr\r\n\r\n"
        + "점검".encode("iso-2022-kr")
    )
    assert "점검" in parse(content)[1][0].text


def test_parse__takes_the_plain_body_unless_it_is_a_stub() -> None:
    plain = parse(mail("a", "온전한 본문 " * 30, html=RICH).as_bytes())[1][0].text
    assert "온전한 본문" in plain
    assert "공지" not in plain
    rich = parse(mail("a", STUB, html=RICH).as_bytes())[1][0].text
    assert "# 공지\n\n밸브 K-1은" in rich
    assert STUB not in rich


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_parse__names_attachments_in_one_form(form: str) -> None:
    name = unicodedata.normalize(form, "점검 보고서.txt")
    assert parse(mail("a", "b", [(name, b"text")]).as_bytes())[1][1].label == "점검 보고서.txt · 1"


def test_parse__goes_on_after_an_attachment_that_cannot_be_read() -> None:
    files = [
        ("깨진.xlsx", xlsx({"a": [["b"] * 99] * 99})[:3_000]),
        ("winmail.dat", b"\x78\x9f\x3e\x22\x01\x00"),
        ("빈.txt", b""),
        ("글.txt", "끝까지".encode()),
    ]
    _, pages = parse(mail("a", "b", files).as_bytes())
    assert [page.origin for page in pages] == ["text", "unread", "unread", "unread", "text"]
    assert [page.label for page in pages[1:4]] == ["깨진.xlsx", "winmail.dat", "빈.txt"]
    assert "damaged" in pages[1].note
    assert "winmail.dat" in pages[2].note
    assert pages[4].text == "끝까지"


def test_parse__reads_mails_in_mails_to_a_depth() -> None:
    message = mail("가장 안", "속말 K-9")
    for depth in range(mail_format.MAX_DEPTH):
        outer = mail(f"겉 {depth}", "전달합니다")
        outer.add_attachment(message)
        message = outer
    _, pages = parse(message.as_bytes())
    assert [page.origin for page in pages] == ["text"] * mail_format.MAX_DEPTH + ["unread"]
    assert pages[1].label == "겉 1.eml · 겉 1"
    assert "속말 K-9" in parse(mail("a", "b", [("안.eml", mail("c", "속말 K-9").as_bytes())]).as_bytes())[1][1].text


def test_parse__stops_at_too_many_and_too_large_attachments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_format, "MAX_ATTACHMENTS", 2)
    files = [(f"{number}.txt", b"x" * 1_000) for number in range(3)]
    content = mail("a", "b", files).as_bytes()
    assert [page.origin for page in parse(content)[1]] == ["text", "text", "text", "text"]
    assert [page.origin for page in parse(content, max_unpacked_bytes=1_500)[1]] == ["text", "text", "unread", "unread"]


def test_parse__leaves_out_signatures_and_pictures_of_the_body() -> None:
    message = mail("a", STUB, html=RICH)
    part = message.get_payload()[1]
    part.add_related(b"\x89PNG\r\n\x1a\n", "image", "png", cid="<a>")
    message.make_mixed()
    message.add_attachment(b"sig", "application", "pgp-signature", filename="signature.asc")
    assert len(parse(message.as_bytes())[1]) == 1


def test_parse__says_that_the_end_is_missing() -> None:
    content = mail("a", "본문이다", [("글.txt", b"x" * 500)]).as_bytes()
    _, pages = parse(content[: len(content) - 200])
    assert "본문이다" in pages[0].text
    assert (pages[-1].origin, "cut off" in pages[-1].note) == ("unread", True)


def test_parse__reads_a_mailbox_file() -> None:
    content = b"".join(
        b"From a@b.c Mon Mar  2 09:00:00 2026\n"
        + mail(f"제목 {number}", f"본문 {number}").as_bytes().replace(b"\r\n", b"\n")
        + b"\n"
        for number in (1, 2)
    )
    _, pages = parse(content)
    assert [(page.number, page.label) for page in pages] == [(1, "제목 1"), (2, "제목 2")]


def test_parse__tells_a_sealed_mail_and_a_memo_apart() -> None:
    sealed = EmailMessage()
    sealed["From"] = "a@b.c"
    sealed.set_content(b"\x30\x80", "application", "pkcs7-mime")
    assert refusal(sealed.as_bytes()) == "encrypted"
    memo = "To: 점검팀\nPlace: 3층 회의실\nDate: 3월 2일\n\n안건".encode()
    assert parse(memo, "회의.txt")[0].media_type == "text/plain"
