"""Parts of long text: what long lines and many headings may cost. How parts look is told by the formats' tests."""

import time

import pytest

from services.formats import html, markdown, parts
from services.formats.page import Header, Page
from services.formats.source import Source

LONG = 1_000_000
LIMIT_S = 10.0
"""A quadratic reader of a million signs takes minutes; an honest one is done within a second."""


def read(text: str, name: str = "a.md") -> tuple[Header, list[Page]]:
    """Parse a text in this process."""
    parser = html.parse if name.endswith(".html") else markdown.parse
    items = list(parser(Source(text.encode(), name, LONG)))
    assert isinstance(items[0], Header)
    return items[0], [item for item in items[1:] if isinstance(item, Page)]


@pytest.mark.parametrize(
    "text",
    [
        "# a" + " " * LONG + "b",
        "# a" + " #" * LONG + " b",
        "`" * LONG,
        "```a\n\n" * (LONG // 6),
        "```\na\n```\n" * (LONG // 10),
        "# a\n" * (LONG // 4),
        "---\ntitle: " + " " * LONG + "b\n---\ntext",
        "\n\t" * LONG + "a",
    ],
    ids=["spaces", "signs", "fence", "open fences", "fences", "headings", "title", "blank lines"],
)
def test_markdown__reads_a_million_signs_in_a_row_at_once(text: str) -> None:
    began = time.process_time()
    _, pages = read(text)
    assert pages
    assert time.process_time() - began < LIMIT_S


def test_headings__are_told_without_their_signs_and_not_longer_than_a_title() -> None:
    text = f"# One #\n\n## C# ##\n\n### a # b\n\n#\n\n# \n\n```\n# code\n```\n\n# {'word ' * 200}"
    found = [words for _, words in parts.headings(text)]
    assert found == ["One", "C#", "a # b", ("word " * 200)[: parts.MAX_TITLE_CHARS]]


def test_titles__are_cut_in_every_format() -> None:
    long = "title " * 1000
    for name, text in (("a.md", f"---\ntitle: {long}\n---\nx"), ("a.md", f"# {long}\n\nx"), ("a.html", _titled(long))):
        header, _ = read(text, name)
        assert len(header.title) == parts.MAX_TITLE_CHARS
        assert header.title.startswith("title title")


def _titled(title: str) -> str:
    return f"<html><head><title>{title}</title></head><body>x</body></html>"


def test_front_matter__gives_its_title_without_quotes() -> None:
    for said, title in (("'Law'", "Law"), ('"Law"', "Law"), ("Law", "Law"), ("'Law", "'Law"), ('""', "")):
        header, _ = read(f"---\ntitle: {said}  \n---\ntext")
        assert header.title == title


def test_html__takes_a_thousand_tables_in_one_another_as_blocks_below_the_third() -> None:
    began = time.process_time()
    _, pages = read("<html><body>" + "<table><tr><td>a|b</td><td>" * 1_000 + "</body></html>", "a.html")
    text = "".join(page.text for page in pages)
    assert text.count("a") == 1_000
    assert len(text) < 20_000
    assert time.process_time() - began < LIMIT_S


def test_html__keeps_the_rows_after_an_inner_table() -> None:
    inner = "<table><tr><td>x</td><td>y</td></tr></table>"
    for _ in range(4):
        inner = f"<table><tr><td>o</td><td>{inner}</td></tr><tr><td>p</td><td>q</td></tr></table>"
    _, (page,) = read(f"<html><body>{inner}<p>after</p></body></html>", "a.html")
    assert page.text.endswith("after")
    assert page.text.splitlines()[-3].startswith("| p | q |")
    assert (page.text.count("o"), page.text.count("x")) == (4, 1)
