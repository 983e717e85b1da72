"""Plain text, Markdown and HTML: character sets, titles, parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.formats import parts, registry
from services.formats.decode import decode
from services.formats.page import FormatError, Header, Page
from services.formats.source import Source

KOREAN = "점검 기준을 정한다. 뷁 아닌 글자 Q-7732, 주기는 39일이다.\n" * 4


def parse(content: bytes | str, filename: str) -> tuple[Header, list[Page]]:
    data = content.encode() if isinstance(content, str) else content
    header, *pages = registry.parse(Source(data, filename, 2**20))
    assert isinstance(header, Header)
    return header, [page for page in pages if isinstance(page, Page)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16", "utf-16-le", "utf-16-be", "johab"])
def test_decode__reads_korean_in_every_common_character_set(encoding: str) -> None:
    assert decode(KOREAN.encode(encoding)) == KOREAN


@pytest.mark.parametrize("cut", [1, 2])
def test_decode__drops_a_last_character_cut_in_half(cut: int) -> None:
    assert decode("점검 완료".encode()[:-cut]) == "점검 완"


def test_decode__drops_half_a_cp949_character() -> None:
    assert decode("점검 완료".encode("cp949")[:-1]) == "점검 완"


def test_decode__finds_one_cp949_line_in_english_text() -> None:
    text = "Each record names the person and the day.\n" * 200 + "점검 번호는 N-2427이다.\n"
    assert decode(text.encode("cp949")) == text


def test_decode__keeps_curly_quotes_of_windows() -> None:
    assert decode("It doesn’t – “really”…".encode("cp1252")) == "It doesn’t – “really”…"


def test_decode__forgives_a_few_damaged_bytes_in_utf8() -> None:
    assert (decode(KOREAN.encode() * 20 + b"\xff\xff end") or "").startswith(KOREAN)


def test_plain__removes_nul_and_keeps_the_rest() -> None:
    _, pages = parse(b"abc\x00def\x00" + "가나다".encode(), "a.txt")
    assert pages[0].text == "abcdef가나다"


@pytest.mark.parametrize("content", ["", "  \n\n\t", "<html><body><script>x</script></body></html>"])
def test_parse__says_empty_when_there_is_nothing_to_read(content: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse(content, "a.txt")
    assert caught.value.code == "empty"


def test_markdown__takes_the_title_of_front_matter_else_the_first_heading() -> None:
    assert parse("---\ntitle: '점검'\n---\n# 기준\n", "a.md")[0] == Header("text/markdown", "점검")
    assert parse("```\n# no\n```\n## 기준 ##\ntext", "a.md")[0].title == "기준"


def test_split__cuts_long_markdown_at_headings_and_labels_by_them() -> None:
    text = "".join(f"# Part {number}\n\n" + "word " * 3_000 + "\n\n" for number in range(4))
    _, pages = parse(text, "a.md")
    assert [(page.number, page.label) for page in pages] == [(n + 1, f"Part {n}") for n in range(4)]


@given(st.text("ab# \n", max_size=300), st.integers(4, 40))
def test_split__loses_nothing_and_keeps_the_size(text: str, max_chars: int) -> None:
    if not text.strip():
        return
    pages = list(parts.split(text, parts.headings(text), max_chars))
    assert "".join("".join(page.text.split()) for page in pages) == "".join(text.split())
    assert all(len(page.text) <= max_chars for page in pages)
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))


HTML = """<!doctype html><html><head><meta charset="utf-8"><title>공지 &amp; 알림</title><script>숨김</script></head>
<body><nav>메뉴</nav><h1>점검
 공지</h1><p>첫 줄<br>둘째 <b>줄</b> &lt;끝&gt;</p><ul><li>하나</li><li><p>둘</p></li></ul>
<table><tr><th>항목</th><th>값</th></tr><tr><td>주기</td><td>7|일</td></tr></table>
<pre>a
  b</pre><p hidden>숨김</p><p style="display: none">숨김</p></body></html>"""


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_html__gives_visible_text_in_markdown_whatever_its_meta_says(encoding: str) -> None:
    header, pages = parse(HTML.encode(encoding), "a.html")
    assert header == Header("text/html", "공지 & 알림")
    assert pages[0].text == (
        "# 점검 공지\n\n첫 줄\n둘째 줄 <끝>\n\n- 하나\n\n- 둘\n\n| 항목 | 값 |\n|---|---|\n| 주기 | 7\\|일 |\n\na\n  b"
    )


def test_html__gives_the_blocks_of_a_layout_table_as_blocks() -> None:
    _, pages = parse("<html><body><table><tr><td><h1>제목</h1><p>본문</p></td></tr></table></body></html>", "a")
    assert pages[0].text == "# 제목\n\n본문"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "picture"),
        (b"\x7fELF\x02\x01\x01\x00", "program"),
        (b"\x78\x9f\x3e\x22\x01\x00", "winmail"),
        (b"HWP Document File V3.00 \x1a\x01\x02", "Hangul"),
        (bytes(range(256)) * 8, "no known kind"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le") + bytes(600), "old Office"),
    ],
)
def test_parse__names_a_kind_it_does_not_read(content: bytes, word: str) -> None:
    with pytest.raises(FormatError, match=word) as caught:
        parse(content, "a.txt")
    assert caught.value.code == "unsupported_format"


def test_parse__calls_a_web_page_named_pdf_a_failed_download() -> None:
    with pytest.raises(FormatError) as caught:
        parse(HTML, "a.pdf")
    assert caught.value.code == "corrupt"


def test_parse__calls_a_locked_office_file_encrypted() -> None:
    with pytest.raises(FormatError) as caught:
        parse(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "a.docx")
    assert caught.value.code == "encrypted"
