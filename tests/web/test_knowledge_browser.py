"""The knowledge page in a real browser, as an admin meets it on the first day: files, a document, a search, a gap that closes."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from playwright.async_api import Browser as Chrome
from playwright.async_api import expect

from tests.roles import Roles
from tests.web.browser import Browser, Look, launched, opened

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]

LOOKS = {"ko": (Look(1200, "dark", "ko"), Look(360, "light", "ko")), "en": (Look(1200, "light", "en"), Look(360, "dark", "en"))}
WORDS: dict[str, dict[str, Any]] = {
    "ko": {
        "learnt": "11개 배웠어요, 1개는 못 읽었어요:", "search": "출장비 신청", "parts": "= 단어", "unknown": "사내 수영장은 언제 열어?",
        "teach": "사내 수영장은 화요일에 열어요.", "taught": "배웠어요", "removed": "뺐어요", "undo": "되돌리기", "opens": "화요일에 열어요",
        "people": "1명 · ko 1", "no_such": "/nowhere: 그런 파일이나 폴더가 없어요.", "not_read": "1개는 못 읽었어요",
        "locked": "계약서.pdf: 손상되어 읽을 수 없어요.", "source_gone": "거기서 배운 것은 이제 어떤 답도 쓰지 않아요",
    },
    "en": {
        "learnt": "11 learnt, 1 not:", "search": "출장비 신청", "parts": "= words", "unknown": "When does the office pool open?",
        "teach": "The office pool opens on Tuesdays.", "taught": "Learnt", "removed": "Removed", "undo": "Undo", "opens": "opens on Tuesdays",
        "people": "1 person · en 1", "no_such": "/nowhere does not exist.", "not_read": "1 not read",
        "locked": "계약서.pdf", "source_gone": "No answer uses what was learnt from it",
    },
}  # fmt: skip
DROP = """() => { const data = new DataTransfer();
    for (let n = 1; n <= 11; n += 1)
        data.items.add(new File([`# 출장 ${n}\\n\\n출장비는 ${n}일 안에 신청합니다. 지역 번호는 ${n}${n}입니다.\\n`], `출장${n}.md`));
    data.items.add(new File(['%PDF-1.4 nothing'], '계약서.pdf', {type: 'application/pdf'})); return data; }"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chrome() -> AsyncIterator[Chrome]:
    """The browser of all tests of this file: each opens a tab of its own."""
    async with launched() as chrome:
        yield chrome


def link(roles: Roles) -> str:
    return json.loads(roles.run("link", "--json"))["url"]


async def looked_at(browser: Browser, name: str) -> None:
    """Look at a stage as people and machines do."""
    await browser.shot(name)
    await browser.is_accessible(name)
    await browser.does_not_scroll_sideways(name)
    if browser.look.is_phone:
        await browser.has_no_narrow_targets(name)


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_files_are_learnt_tried_taken_away_and_a_gap_is_closed(
    language: str, chrome: Chrome, site: str, roles: Roles, tmp_path: Path
) -> None:
    roles.start("worker")
    words, (wide, phone) = WORDS[language], LOOKS[language]
    async with opened(chrome, site, wide) as browser:
        page = browser.page
        await browser.signs_in(link(roles))
        await page.keyboard.press("Escape")
        await page.goto(f"{site}/knowledge")
        await looked_at(browser, "k1-empty")
        given = await page.evaluate_handle(DROP)
        await page.dispatch_event("main", "drop", {"dataTransfer": given})
        await expect(page.locator("#uploads p")).to_have_text(words["learnt"], timeout=60_000)
        await expect(page.locator("#uploads .failed")).to_contain_text("계약서.pdf")
        await expect(page.locator(".documents .state.ready")).to_have_count(11, timeout=10_000)
        await looked_at(browser, "k2-learnt")

        await tries_a_search(browser, words)
        await looked_at(browser, "k3-tried")

        await page.locator(".documents thead a").first.click()
        await expect(page.locator(".documents th[aria-sort=ascending]")).to_have_count(1)
        first = (
            page.locator(".documents tbody tr")
            .filter(has_text="출장1.md")
            .or_(page.locator(".documents tbody tr").filter(has_text="출장 1"))
        )
        await first.first.locator("a").focus()
        await page.keyboard.press("x")
        await expect(page.locator(".toast")).to_contain_text(words["removed"])
        await expect(page.locator(".documents .state.ready")).to_have_count(10)
        await page.locator(".toast button").click()
        await expect(page.locator(".documents .state.ready")).to_have_count(11)
        await page.keyboard.press("Slash")
        await expect(page.locator("#find")).to_be_focused()
        await page.keyboard.type("계약")
        await expect(page.locator(".documents tbody tr")).to_have_count(1)

        await page.goto(f"{site}/chat")
        await browser.asks(words["unknown"])
        await page.locator(".answered a.button").click()
        await expect(page.locator(".gap")).to_contain_text(words["people"])
        await looked_at(browser, "k4-gap")
        await page.locator(".gap textarea").fill(words["teach"])
        await page.locator(".gap form button").click()
        await expect(page.locator(".taught")).to_contain_text(words["taught"])
        await expect(page.locator(".taught button")).to_have_text(words["undo"])
        await page.goto(f"{site}/chat")
        await browser.asks(words["unknown"])
        await expect(page.locator(".answered .text")).to_contain_text(words["opens"], timeout=20_000)
        await page.goto(f"{site}/knowledge")
        await page.locator(".documents tbody tr").first.locator("a").press("Enter")
        await expect(page.locator(".versions li")).to_have_count(1)
        await looked_at(browser, "k5-document")
        await follows_a_folder(browser, words, tmp_path)
    async with opened(chrome, site, phone) as browser:
        await browser.signs_in(link(roles))
        for name, address in (("k6-documents", "/knowledge"), ("k7-gaps", "/knowledge/gaps"), ("k8-sources", "/knowledge/sources")):
            await browser.page.goto(f"{site}{address}")
            await looked_at(browser, name)


async def tries_a_search(browser: Browser, words: dict[str, Any]) -> None:
    """Type slowly, rest, type on and press Enter: what may cost, the whole search, is asked for once each time, and never half typed."""
    page, asked = browser.page, list[bool]()
    page.on("request", lambda request: asked.append("whole=true" in request.url) if "/knowledge/try" in request.url else None)
    box = page.locator(".try input")
    await box.press_sequentially(words["search"], delay=350)  # each pause is long enough for a search by words
    assert True not in asked
    assert len(asked) >= 3
    async with page.expect_request(lambda request: "whole=true" in request.url):
        await expect(page.locator("#tried .why-ranked").first).to_contain_text(words["parts"])
    del asked[:]
    await box.fill("")
    await box.fill(words["search"])
    await box.press("Enter")
    await page.wait_for_timeout(1_400)  # the second after which typing has rested is over
    assert asked[-1:] == [True]
    assert asked.count(True) == 1
    await expect(page.locator("#tried .why-ranked").first).to_contain_text(words["parts"])


async def follows_a_folder(browser: Browser, words: dict[str, Any], folder: Path) -> None:
    """Add a source after a refusal, see what was not read, take it away and bring it back."""
    page = browser.page
    (folder / "출장.md").write_text("# 출장\n\n출장비는 3일 안에 신청합니다.\n", "utf-8")
    (folder / "계약서.pdf").write_bytes(b"%PDF-1.4 nothing")
    await page.goto(f"{browser.site}/knowledge/sources")
    await page.keyboard.press("s")
    await page.locator(".adding select").first.select_option("folder")
    await page.locator("#source-location").fill("/nowhere")
    await page.locator("#source-location").press("Enter")
    await expect(page.locator("#source-problem")).to_have_text(words["no_such"])
    browser.complaints = [said for said in browser.complaints if "422" not in said]
    await looked_at(browser, "k9-refused")
    await page.locator("#source-location").fill(str(folder))
    await page.locator("#source-location").press("Enter")
    row = page.locator(".source-row").first
    await expect(row.locator(".unread")).to_contain_text(words["not_read"], timeout=15_000)
    await expect(row.locator(".source-state")).to_contain_text("✓")
    await row.locator(".unread summary").click()
    await expect(row.locator(".unread li")).to_contain_text(words["locked"])
    async with page.expect_response("**/sync"):
        await row.locator("[id^=sync-]").click()
    await expect(row.locator(".source-state")).to_contain_text("✓", timeout=15_000)
    await row.locator(".readdress summary").click()
    await looked_at(browser, "k10-sources")
    await row.locator("[data-remove]").click()
    await expect(page.locator(".toast")).to_contain_text(words["source_gone"])
    await expect(page.locator("#sources [data-source]")).to_have_count(0)
    await page.locator(".toast button").click()
    await expect(page.locator("#sources [data-source]")).to_have_count(1)


async def test_who_asked_in_vain_is_told_on_the_page_once(chrome: Chrome, site: str, roles: Roles) -> None:
    roles.start("worker")
    look = LOOKS["en"][0]
    async with opened(chrome, site, look) as member, opened(chrome, site, look) as admin:
        await member.signs_in(json.loads(roles.run("link", "--json", "--role", "member", "--for", "Alex"))["url"])
        await member.asks("When does the office pool open?")
        await expect(member.page.locator(".answered a.button")).to_be_visible(timeout=20_000)
        await admin.signs_in(link(roles))
        await admin.asks("When does the office pool open?")
        await admin.page.locator(".answered a.button").click()
        await expect(admin.page.locator(".gap")).to_have_count(1)  # what Alex asked is Alex's alone
        await admin.page.locator(".gap select").select_option("everyone")
        await admin.page.locator(".gap textarea").fill("It opens on Tuesdays.")
        await admin.page.locator(".gap form button").click()
        await expect(admin.page.locator(".taught")).not_to_contain_text("will be told")
        with psycopg.connect(roles.env["DATABASE_URL"], autocommit=True) as db:
            db.execute("UPDATE knowledge_gaps SET tell_at = now() - interval '1 second' WHERE tell_at IS NOT NULL")
        await member.page.goto(f"{site}/chat")
        await expect(member.page.locator(".news")).to_contain_text("It opens on Tuesdays.")
        await member.is_accessible("news")
        await member.page.reload()
        await expect(member.page.locator(".news")).to_have_count(0)
