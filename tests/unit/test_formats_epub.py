"""EPUB: chapters by either table of contents, markup that HTML misreads, locks and bombs."""

import pytest

from services.formats import parts
from tests.fakes.book_writer import epub
from tests.fakes.parsing import parse, refusal

CHAPTERS = [("1장", "<h1>1장</h1><p>밸브 K-1</p>"), ("2장 점검", '<a id="top"/><p>펌프 K-2</p>')]
ENCRYPTED = (
    '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
    '<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#"><EncryptionMethod Algorithm="{}"/>'
    '<CipherData><CipherReference URI="EPUB/c1.xhtml"/></CipherData></EncryptedData></encryption>'
)


@pytest.mark.parametrize("toc", ["nav", "ncx"])
def test_parse__gives_a_page_per_chapter_called_as_in_the_contents(toc: str) -> None:
    header, pages = parse(epub("점검 이야기", CHAPTERS, toc=toc))
    assert (header.media_type, header.title) == ("application/epub+zip", "점검 이야기")
    assert [(page.number, page.label) for page in pages] == [(1, "1장"), (2, "2장 점검")]
    assert [page.text for page in pages] == ["# 1장\n\n밸브 K-1", "펌프 K-2"]


def test_parse__calls_chapters_by_their_headings_without_contents() -> None:
    assert [page.label for page in parse(epub("a", CHAPTERS, toc=""))[1]] == ["1장", "2"]


def test_parse__cuts_long_chapters() -> None:
    body = "".join(f"<p>{'가' * 500} {number}</p>" for number in range(100))
    _, pages = parse(epub("a", [("긴 장", body), ("끝", "<p>끝</p>")]))
    assert all(len(page.text) <= parts.MAX_PART_CHARS for page in pages)
    assert [page.label for page in pages] == ["긴 장", "긴 장 (2)", "긴 장 (3)", "끝"]


def test_parse__leaves_out_items_without_words_and_tells_missing_ones() -> None:
    book = epub("a", [("표지", '<img src="a.png"/>'), *CHAPTERS])
    assert [page.label for page in parse(book)[1]] == ["1장", "2장 점검"]
    gone = epub("a", CHAPTERS).replace(b"EPUB/c1.xhtml", b"EPUB/x1.xhtml")
    _, pages = parse(gone)
    assert [(page.label, page.origin) for page in pages] == [("1장", "unread"), ("2장 점검", "text")]


def test_parse__tells_a_lock_from_hidden_fonts() -> None:
    locked = ENCRYPTED.format("http://www.w3.org/2001/04/xmlenc#aes128-cbc")
    assert refusal(epub("a", CHAPTERS, more={"META-INF/encryption.xml": locked})) == "encrypted"
    fonts = ENCRYPTED.format("http://www.idpf.org/2008/embedding")
    assert len(parse(epub("a", CHAPTERS, more={"META-INF/encryption.xml": fonts}))[1]) == 2


def test_parse__tells_cut_empty_and_expanding_books_apart() -> None:
    book = epub("a", CHAPTERS)
    assert refusal(book[: len(book) // 2]) == "corrupt"
    assert refusal(epub("a", [("표지", '<img src="a.png"/>')])) == "empty"
    assert refusal(book, max_unpacked_bytes=1_000) == "too_large"
    bomb = '<!DOCTYPE ncx [<!ENTITY a "b">]><ncx>&a;</ncx>'
    assert refusal(epub("a", CHAPTERS, more={"EPUB/more.ncx": bomb})) == "too_large"
