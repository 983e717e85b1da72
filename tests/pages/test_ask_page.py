"""What the first page shows of an ask on its way: the place of a wait, words taken back, a question to ask again."""

import pytest
from playwright.async_api import Browser, expect

from db.pool import Database
from services.answer.events import AskEvent, gate_event, status_event, token_events
from services.kit.answer_settings import AnswerSettings
from services.kit.settings import Settings
from tests.corridors.http_fixtures import Synthesis, row_of, serving, synthesis
from tests.pages.test_first_page import ANSWER, Complaints, browser, opened

__all__ = ["browser", "synthesis"]
pytestmark = pytest.mark.anyio


async def test_wait__shows_who_is_before(browser: Browser, settings: Settings, synthesis: Synthesis) -> None:
    complaints = Complaints()
    async with serving(settings) as address:
        await synthesis.listened_to()
        page = await opened(browser, address, complaints, "en-US")
        await page.locator("#question").fill("At what pressure?")
        await page.keyboard.press("Enter")
        await expect(page.locator("#step")).to_have_text("Nobody is there to answer: start it with `seodang up`.")
        await expect(page.locator("#waited")).to_contain_text("waiting for")
        ask_id = await synthesis.next_ask()
        await synthesis.publish(ask_id, [status_event("verify")])
        await expect(page.locator("#step")).to_have_text("Looking for contradictions")
        await expect(page.locator("#waited")).to_be_hidden()
        await page.context.close()
    assert complaints.texts == []


@pytest.mark.parametrize(
    ("locale", "part", "missing", "doubtful", "verdict"),
    [
        ("ko-KR", "질문의 일부만 답했습니다.", "빠진 부분:", "확신이 낮습니다. 원문에서 확인해 주세요.", "일부만 답함"),
        ("en-US", "Not all of the question is answered.", "Missing:", "Confidence is low:", "Partial answer"),
    ],
)
async def test_partial_answer__says_what_is_missing(
    browser: Browser,
    settings: Settings,
    synthesis: Synthesis,
    locale: str,
    part: str,
    missing: str,
    doubtful: str,
    verdict: str,
) -> None:
    complaints = Complaints()
    async with serving(settings) as address:
        await synthesis.listened_to()
        page = await opened(browser, address, complaints, locale)
        lacking = page.locator("#lacking")
        await page.locator("#question").fill("작동 압력과 점검 주기는?")
        await page.keyboard.press("Enter")
        await expect(lacking).to_be_hidden()
        parts = ["점검 주기", "<b>담당자</b>는 누구"]
        await synthesis.finish_partly(await synthesis.next_ask(), "1.2 MPa입니다 [1].", parts, "low")
        await expect(lacking).to_be_visible()
        await expect(lacking).to_contain_text(part)
        await expect(lacking).to_contain_text(doubtful)
        await expect(page.get_by_role("list", name=missing).get_by_role("listitem")).to_have_text(parts)
        assert await lacking.get_attribute("aria-live") == "polite"
        await expect(page.locator("#verdict")).to_contain_text(verdict)
        assert complaints.texts == []
        await page.reload()  # as it is told to who comes back
        await expect(page.get_by_role("list", name=missing).get_by_role("listitem")).to_have_text(parts)
        await page.locator("#question").fill("다른 질문")
        await page.keyboard.press("Enter")
        await expect(lacking).to_be_hidden()
        await page.context.close()


async def test_refusal__says_what_would_be_needed_and_nothing_twice(
    browser: Browser, settings: Settings, synthesis: Synthesis, pool: Database
) -> None:
    needed = (
        "찾은 자료로는 답할 수 없습니다. 질문의 내용을 직접 다루는 문서가 필요합니다. 찾지 못한 내용: 창업자는 누구."
    )
    async with serving(settings) as address:
        await synthesis.listened_to()
        page = await opened(browser, address, Complaints())
        await page.locator("#question").fill("창업자는 누구입니까?")
        await page.keyboard.press("Enter")
        ask_id = await synthesis.next_ask()
        await row_of(pool, "UPDATE asks SET trace = $2 WHERE id = $1", ask_id, {"missing": ["창업자는 누구?"]})
        await synthesis.finish(ask_id, needed, "evidence_weak")
        await expect(page.locator("#answer")).to_have_text(needed)
        await expect(page.locator("#verdict")).to_contain_text("답하지 않음")
        await expect(page.locator("#lacking")).to_be_hidden()
        await page.context.close()


async def test_words__that_are_withdrawn_make_room_for_the_refusal(
    browser: Browser, settings: Settings, synthesis: Synthesis
) -> None:
    complaints = Complaints()
    async with serving(settings) as address:
        await synthesis.listened_to()
        page = await opened(browser, address, complaints)
        await page.locator("#question").fill("작동 압력은?")
        await page.keyboard.press("Enter")
        ask_id = await synthesis.next_ask()
        holds = gate_event("answer", "holds", wait_ms=1.0)
        events: list[AskEvent] = [status_event("answer"), holds, *token_events("9 MPa라고 합니다.")]
        await synthesis.publish(ask_id, events)
        await expect(page.locator("#answer")).to_have_text("9 MPa라고 합니다.")
        await synthesis.finish(ask_id, "근거를 찾지 못했습니다.", "answer_ungrounded")
        await expect(page.locator("#answer")).to_have_text("근거를 찾지 못했습니다.")
        await expect(page.locator("#verdict")).to_contain_text("답하지 않음")
        await page.context.close()
    assert complaints.texts == []


async def test_words__that_are_corrected_say_so(browser: Browser, settings: Settings, synthesis: Synthesis) -> None:
    async with serving(settings) as address:
        await synthesis.listened_to()
        page = await opened(browser, address, Complaints())
        await page.locator("#question").fill("작동 압력은?")
        await page.keyboard.press("Enter")
        ask_id = await synthesis.next_ask()
        await synthesis.publish(ask_id, [status_event("answer"), *token_events("9 MPa에서")])
        await expect(page.locator("#answer")).to_have_text("9 MPa에서")
        await synthesis.finish(ask_id, ANSWER)
        await expect(page.locator("#answer")).to_have_text(ANSWER)
        await expect(page.locator("#verdict")).to_contain_text("확인 뒤 고침")
        await page.context.close()


async def test_question__that_was_left_is_cancelled_and_can_be_asked_again(
    browser: Browser, settings: Settings, synthesis: Synthesis
) -> None:
    hasty = settings.model_copy(update={"answer": AnswerSettings(leave_s=0.1)})
    async with serving(hasty) as address:
        await synthesis.listened_to()
        page = await opened(browser, address, Complaints())
        await page.locator("#question").fill("작동 압력은?")
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{address}/?ask=1")
        await page.goto(f"{address}/docs")
        await synthesis.ended(1)
        await page.goto(f"{address}/?ask=1")
        await expect(page.locator("#answer")).to_have_text("기다리는 사람이 없어 멈췄습니다.")
        await page.get_by_role("button", name="다시 묻기").click()
        assert await synthesis.next_ask() == 2
        await synthesis.finish(2, ANSWER)
        await expect(page.locator("#answer")).to_have_text(ANSWER)
        await page.context.close()
