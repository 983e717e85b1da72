"""The page in a real Chromium: a question is typed, the answer streams in, its citation opens at the quote."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Request, async_playwright, expect

from db.pool import Database
from services.kit.settings import Settings
from tests.corridors.http_fixtures import Synthesis, row_of, serving, synthesis

__all__ = ["synthesis"]
pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.slow]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-default-apps", "--disable-sync", "--no-first-run",
]  # fmt: skip
HOW_TO_GET_ONE = f"No Chromium was found: `apt-get install chromium`, or put one of {NAMES} on the PATH."
TEXT = "제1조 목적\n안전밸브는 1.2 MPa에서 열린다. <script>window.pwned = 1</script>\n제2조"
QUOTE = "안전밸브는 1.2 MPa에서 열린다."
ANSWER = "안전밸브는 1.2 MPa에서 열립니다 [1]. 다른 값은 없습니다 [7]. <img src=x onerror=alert(1)>"


@dataclass
class Complaints:
    """What a browser has to say against a page."""

    texts: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Collect from now on."""
        page.on("console", lambda message: self._add(message.type in ("error", "warning"), message.text))
        page.on("pageerror", lambda error: self._add(True, str(error)))
        page.on("requestfailed", self._failed)
        page.on("response", lambda response: self._add(response.status >= 400, f"{response.status} {response.url}"))

    def _failed(self, request: Request) -> None:
        # The stream of the status has no end: leaving the page is what ends it.
        self._add(not request.url.endswith("/api/status/events"), f"{request.failure} {request.url}")

    def _add(self, bad: bool, text: str) -> None:
        if bad:
            self.texts.append(text)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(HOW_TO_GET_ONE)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=QUIET)
        yield chromium
        await chromium.close()


@pytest.fixture
async def document(pool: Database) -> int:
    """A document that search serves."""
    insert = """INSERT INTO documents (title, filename, media_type, sha256, size_bytes, page_count, pages_version,
                                       corpus_version)
                VALUES ('점검 <b>지침</b>', 'a.pdf', 'application/pdf', repeat('0', 64), 1, 1, 1, 1) RETURNING id"""
    row = await row_of(pool, insert)
    page = "INSERT INTO document_pages (document_id, version, number, label, text) VALUES ($1, 1, 1, '1', $2)"
    await row_of(pool, page, row["id"], TEXT)
    return int(row["id"])


def cited(document_id: int) -> dict[str, Any]:
    start = TEXT.index(QUOTE)
    place = {"document_id": document_id, "page": 1, "start": start, "end": start + len(QUOTE)}
    url = f"/api/documents/{document_id}/pages/1?start={start}&end={start + len(QUOTE)}"
    return {"n": 1, "chunk_id": 1, "title": "점검 <b>지침</b>", "quote": QUOTE, "url": url, **place}


async def opened(browser: Browser, address: str, complaints: Complaints, locale: str = "ko-KR") -> Page:
    context = await browser.new_context(locale=locale)
    page = await context.new_page()
    complaints.watch(page)
    await page.goto(address)
    return page


async def test_question__streams_its_answer_and_opens_at_the_quote(
    browser: Browser, settings: Settings, synthesis: Synthesis, document: int
) -> None:
    complaints = Complaints()
    synthesis.citations = [cited(document)]
    async with serving(settings) as address:
        await synthesis.listened_to()
        page = await opened(browser, address, complaints)
        await page.get_by_label("무엇이 궁금하신가요?").fill("작동 압력은?")
        await page.keyboard.press("Enter")
        ask_id = await synthesis.next_ask()
        await expect(page.get_by_role("status").first).to_have_class("step busy")
        await synthesis.tell(ask_id, ANSWER)
        await expect(page.locator("#answer")).to_have_text(ANSWER)  # while the row is still being worked on
        await expect(page.locator("a.cite")).to_have_count(0)
        await synthesis.finish(ask_id, ANSWER)
        await page.get_by_role("link", name="근거 1: 점검 <b>지침</b>, 1쪽").click()
        await expect(page.locator("mark#quote")).to_have_text(QUOTE)
        await expect(page.locator("mark#quote")).to_be_in_viewport()
        assert "<script>" in await page.locator(".text").inner_text()
        await page.go_back()
        await expect(page.locator("#answer")).to_have_text(ANSWER)  # found again by the number in the address
        await page.context.close()
    assert complaints.texts == []


async def test_question__goes_on_when_the_facade_was_restarted(
    browser: Browser, settings: Settings, synthesis: Synthesis
) -> None:
    words = ANSWER.split(" ", 1)[0]
    async with serving(settings) as address:
        await synthesis.listened_to()
        page = await opened(browser, address, Complaints())
        await page.locator("#question").fill("질문")
        await page.get_by_role("button", name="묻기").click()
        ask_id = await synthesis.next_ask()
        await synthesis.tell(ask_id, words)
        await expect(page.locator("#answer")).to_have_text(words)
    await synthesis.finish(ask_id, ANSWER)
    await expect(page.locator("#step")).to_contain_text("연결이 끊겼습니다")
    async with serving(settings, port=int(address.rpartition(":")[2])):
        await expect(page.locator("#answer")).to_have_text(ANSWER)
        await page.context.close()


async def test_upload__shows_its_way_and_its_end(browser: Browser, settings: Settings, pool: Database) -> None:
    complaints = Complaints()
    async with serving(settings, ("ingest",)) as address:
        page = await opened(browser, address, complaints, "en-US")
        await expect(page.get_by_text("Nothing is waiting.")).to_be_visible()
        file = {"name": "locked.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"}
        await page.locator("#files").set_input_files([file])  # type: ignore[list-item]
        await expect(page.locator("#uploads")).to_contain_text("Waiting")
        await expect(page.locator("#work tbody")).to_contain_text("Reading1")
        fail = "UPDATE inbox SET status = 'failed', completed_at = now(), error_code = 'encrypted', error_message = $1"
        await row_of(pool, fail, "Save a copy without a password.")
        await expect(page.locator("#uploads .failed")).to_have_text("Save a copy without a password.")
        await page.context.close()
    assert complaints.texts == []


@pytest.mark.parametrize("path", ["/", "/docs", "/api/documents/{document}/pages/1?view=html"])
@pytest.mark.parametrize("locale", ["ko-KR", "en-US"])
async def test_pages__are_in_the_readers_language_and_without_complaint(
    browser: Browser, settings: Settings, document: int, path: str, locale: str
) -> None:
    complaints = Complaints()
    async with serving(settings) as address:
        page = await opened(browser, address + path.format(document=document), complaints, locale)
        assert await page.locator("html").get_attribute("lang") == locale[:2]
        assert await page.locator("h1").count() == 1
        await page.context.close()
    assert complaints.texts == []


async def test_page__needs_no_mouse(browser: Browser, settings: Settings, document: int) -> None:
    async with serving(settings) as address:
        page = await opened(browser, address, Complaints(), "en-US")
        await expect(page.locator("#documents a")).to_be_visible()
        names = []
        for _ in range(7):
            names.append(await page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
            await page.keyboard.press("Tab")
        await page.context.close()
    assert names[:2] == ["question", "Ask"]
    assert "files" in names
