"""The sample files kept beside the repository: every known fact on its page, every bad file told apart."""

import asyncio
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from services.formats.page import FormatError, Parsed
from services.formats.sandbox import Reader

MADE = Path(__file__).resolve().parents[3] / "shared" / "files" / "made"
KINDS = ("pdf", "docx", "html", "md", "txt", "xlsx", "pptx", "epub", "eml")
CODES = {
    "empty": {"empty", "unread"},
    "password": {"encrypted"},
    "error": {"corrupt", "empty"},
    "limit": {"too_large", "empty"},  # or a parse within the limits that finds no text
}


def wanted() -> dict[str, dict[str, Any]]:
    path = MADE / "facts.json"
    every = json.loads(path.read_text()) if path.exists() else {}
    return {name: want for name, want in every.items() if want["kind"] in KINDS}


def squeezed(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).split())


def has(parsed: Parsed, page: int | str | None, fact: str) -> bool:
    pages = [each for each in parsed.pages if page in (None, each.number, each.label)]
    return any(squeezed(fact) in squeezed(each.text) for each in pages)


async def check() -> None:
    async with Reader() as reader:
        for name, want in wanted().items():
            if want["expect"] == "text":
                holds(name, want, await reader.read(MADE / name, name))
            else:
                await refused(reader, name, want["expect"])


async def refused(reader: Reader, name: str, expect: str) -> None:
    """See to it that the file is told apart; one of pictures alone may also be read as pages that are not read yet."""
    try:
        parsed = await reader.read(MADE / name, name)
    except FormatError as error:
        told = error.code
    else:
        told = "unread" if {page.origin for page in parsed.pages} == {"unread"} else "text"
    assert told in CODES[expect], name


def holds(name: str, want: dict[str, Any], parsed: Parsed) -> None:
    extra = want.get("extra", {}).values()
    facts = [*want["facts"], *(fact if isinstance(fact, list) else [None, fact] for fact in extra)]
    assert [fact for page, fact in facts if not has(parsed, page, fact)] == [], name
    assert not any(has(parsed, None, word) for word in want.get("avoid", [])), name


@pytest.mark.slow
@pytest.mark.skipif(not MADE.exists(), reason="the sample files are not beside this checkout")
def test_read__finds_every_fact_of_the_samples_on_its_page() -> None:
    asyncio.run(check())
