"""The page as people meet it, in a real browser, on real processes: ask, watch, look at the source, vote, come back."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser as Chrome
from playwright.async_api import Page, expect

from tests.fakes.model import FakeModel
from tests.roles import Roles
from tests.web.browser import Look, launched, opened
from tests.web.conftest import start_site

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]

WIDE_EN, WIDE_KO = Look(1280, "light", "en"), Look(1280, "dark", "ko")
LOOKS = [Look(width, scheme, language) for width in (1280, 360) for scheme in ("light", "dark") for language in ("ko", "en")]
PEOPLE = {"ko": ("민지", "서준", "하윤", "도윤"), "en": ("Minji", "Alex", "Sam", "Noor")}  # each look has a person of its own
WORDS = {
    "ko": {
        "question": "연차는 며칠까지 이월돼?", "answer": "네, 다음 해로 **최대 5일**을 이월할 수 있어요 [1].\n이월한 연차는 3월 31일에 소멸돼요 [1].",
        "marked": "최대 5일을 이월", "first": "찾고 있어요…", "thanks": "고마워요.", "comment": "올해부터 10일",
    },
    "en": {
        "question": "Can I carry leave over into next year?",
        "answer": "Yes, **up to five days** may be carried over into the next year [1].\nThe days that are carried over lapse on 31 March [1].",
        "marked": "Up to five days", "first": "Searching…", "thanks": "Thank you.", "comment": "Ten days from this year on",
    },
}  # fmt: skip
DOCUMENTS = {
    "휴가규정.md": """# 휴가 규정

이 규정은 모든 구성원에게 첫 출근일부터 적용합니다.

## 이월

연차는 다음 해로 최대 5일을 이월할 수 있습니다. 이월한 연차는 3월 31일에 소멸합니다. 반차는 0.5일로 계산합니다.

## 신청

연차는 2주 전에 신청합니다. Slack에서는 이렇게 씁니다.

```
/휴가 2026-08-03 2026-08-14
```

팀장은 3일 안에 답합니다.
""",
    "leave.md": """# Leave policy

This policy holds for everybody from the first working day.

## Carry-over

Up to five days of annual leave may be carried over into the next year. Days that are carried over lapse on 31 March. Half days count as half.

## Requests

Ask for leave two weeks ahead. In Slack, write:

```
/leave 2026-08-03 2026-08-14
```

Your team lead answers within three working days.
""",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chrome() -> AsyncIterator[Chrome]:
    """The browser of all tests of this file: each opens a tab of its own."""
    async with launched() as chrome:
        yield chrome


@pytest.fixture
def documents(roles: Roles, tmp_path: Path) -> None:
    """Two documents that everyone may see."""
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text)
    roles.run("ingest", str(folder))


def link(roles: Roles, *arguments: str) -> str:
    return json.loads(roles.run("link", "--json", *arguments))["url"]


async def is_marked_in_view(page: Page, text: str) -> None:
    mark = page.locator("#pane .marked")
    await expect(mark).to_contain_text(text)
    await expect(mark).to_be_in_viewport()


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_ask_watch_look_vote_and_come_back(language, chrome, site, roles, agent: FakeModel, documents):
    roles.start("worker", **agent.env)
    looks = [look for look in LOOKS if look.language == language]
    for turn, (look, person) in enumerate(zip(looks, PEOPLE[language], strict=True), 1):
        agent.will_stream(WORDS[language]["answer"], tokens=40, first_after=0.3, every=0.05)
        await walk(chrome, look, site, link(roles, "--for", person), waiting=turn)


async def walk(chrome: Chrome, look: Look, site: str, way_in: str, waiting: int) -> None:
    """Go once from the link to the knowledge page, looking at each stage."""
    words = WORDS[look.language]
    async with opened(chrome, site, look) as browser:
        page = browser.page
        await browser.signs_in(way_in)
        await expect(page.locator("#text")).to_be_focused()
        await expect(page.locator(".suggestion")).to_have_count(3)
        await browser.is_accessible("the empty chat")
        await browser.does_not_scroll_sideways("the empty chat")
        await browser.shot("1-empty")

        await browser.watches()
        await browser.asks(words["question"])
        await expect(page.locator(".turn .question")).to_have_text(words["question"])
        await expect(page.locator(".turn[data-live]")).to_have_count(0, timeout=20_000)
        seen = await browser.seen()
        assert len(seen) >= 3, seen
        assert len(seen[0]) < len(seen[-1]) / 2, seen
        await browser.shot("2-answer")
        await browser.is_accessible("an answer")
        await browser.does_not_scroll_sideways("an answer")

        await page.locator(".text .cite").first.press("Enter")
        await is_marked_in_view(page, words["marked"])
        await browser.shot("3-source")
        await browser.is_accessible("a source")
        if look.width == WIDE_EN.width:
            await page.set_viewport_size({"width": look.width, "height": 640})
            await browser.shot("readme")  # `make pictures` takes it from here
            await page.set_viewport_size({"width": look.width, "height": 800})
        await page.keyboard.press("Escape")
        await expect(page.locator("#pane")).to_be_hidden()
        await expect(page.locator(".text .cite").first).to_be_focused()

        await page.locator(".thumb.down").click()
        await expect(page.locator(".why")).to_be_visible()
        if look.is_phone:
            await browser.has_no_narrow_targets("the chat")
        await page.keyboard.press("Digit2")
        await expect(page.locator(".reason input").nth(1)).to_be_checked()
        await browser.shot("4-why")
        await browser.does_not_scroll("the chat with reasons open")
        await browser.is_accessible("reasons")
        await page.locator(".why textarea").fill(words["comment"])
        await page.locator(".why textarea").press("Enter")
        await expect(page.locator(".thanks")).to_contain_text(words["thanks"])
        await expect(page.locator("#waiting")).to_have_text(str(waiting))

        await page.reload()
        await expect(page.locator(".turn .question")).to_have_text(words["question"])
        await expect(page.locator(".thumb.down")).to_have_attribute("aria-pressed", "true")
        await expect(page.locator(".sources .source")).to_have_count(1)

        await page.locator(".tabs a[href='/review']").click()
        await expect(page.locator(".card .comment").first).to_have_text(words["comment"])
        await browser.shot("5-review")
        await browser.is_accessible("review")
        await browser.does_not_scroll_sideways("review")
        await page.locator(".tabs a[href='/knowledge']").click()
        await expect(page.locator(".documents tbody tr")).to_have_count(2)
        await browser.shot("6-knowledge")
        await browser.is_accessible("knowledge")
        if look.is_phone:
            await browser.has_no_narrow_targets("knowledge")


async def test_ones_own_line_and_the_first_sign_are_there_before_the_server_has_answered(chrome, site, roles):
    async with opened(chrome, site, WIDE_KO) as browser:
        page, let_go = browser.page, asyncio.Event()
        await browser.signs_in(link(roles))

        async def held(route):
            await let_go.wait()
            await route.continue_()

        await page.route("**/ask", held)
        await browser.asks("연차는 며칠까지 이월돼?")
        await expect(page.locator(".turn .question")).to_have_text("연차는 며칠까지 이월돼?")
        await expect(page.locator(".turn .note")).to_have_text("찾고 있어요…")
        await expect(page.locator("#text")).to_have_value("")
        let_go.set()
        await expect(page.locator(".turn[data-answer]")).to_have_count(1)
        await expect(page.locator(".turn")).to_have_count(1)


async def test_what_is_seen_while_the_model_still_speaks_was_streamed(chrome, site, roles, agent: FakeModel, documents):
    roles.start("worker", **agent.env)
    agent.will_stream("하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉 열", tokens=10, hold_after=5)
    async with opened(chrome, site, WIDE_KO) as browser:
        await browser.signs_in(link(roles))
        await browser.asks("연차는 며칠까지 이월돼?")
        await expect(browser.page.locator("[data-text]")).to_contain_text("하나 둘 셋", timeout=20_000)
        await expect(browser.page.locator("[data-text]")).not_to_contain_text("열")
        await expect(browser.page.locator("#stop")).to_be_visible()
        agent.go_on()
        await expect(browser.page.locator("[data-text]")).to_contain_text("열")
        await expect(browser.page.locator("#stop")).to_be_hidden()

        # Enter in the very moment in which the reasons appear, before htmx has woken them, sends them too.
        await browser.page.evaluate("""() => {
            window.isSame = true;
            document.addEventListener('htmx:afterSwap', () => document.querySelector('.why') &&
                document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', code: 'Enter', bubbles: true})));
        }""")
        await browser.page.locator("#scroll").focus()
        await browser.page.keyboard.press("Minus")
        await expect(browser.page.locator(".thanks")).to_be_visible()
        assert await browser.page.evaluate("window.isSame"), "the page was loaded anew"


async def test_stop_ends_the_answer_and_keeps_what_was_said(chrome, site, roles, agent: FakeModel, documents):
    roles.start("worker", **agent.env)
    agent.will_stream("하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉 열", tokens=10, hold_after=5)
    async with opened(chrome, site, WIDE_KO) as browser:
        await browser.signs_in(link(roles))
        await browser.asks("연차는 며칠까지 이월돼?")
        await expect(browser.page.locator("[data-text]")).to_contain_text("하나 둘 셋", timeout=20_000)
        await browser.page.keyboard.press("Escape")
        await expect(browser.page.locator(".turn[data-live]")).to_have_count(0, timeout=20_000)
        await expect(browser.page.locator(".turn")).to_contain_text("하나 둘 셋")
        await expect(browser.page.locator(".notice")).to_contain_text("멈췄어요")


async def test_one_enter_sends_what_was_composed_in_hangul_exactly_once(chrome, site, roles):
    async with opened(chrome, site, WIDE_KO) as browser:
        page = browser.page
        await browser.signs_in(link(roles))
        typing = await page.context.new_cdp_session(page)
        await page.locator("#text").focus()
        for syllables in ("ㅇ", "여", "연"):
            await typing.send("Input.imeSetComposition", {"text": syllables, "selectionStart": 1, "selectionEnd": 1})
        await typing.send("Input.insertText", {"text": "연"})
        for syllables in ("ㅊ", "차"):
            await typing.send("Input.imeSetComposition", {"text": syllables, "selectionStart": 1, "selectionEnd": 1})
        # Enter while a syllable is being composed: the input method takes it (keyCode 229), commits, and hands Enter on
        composing = {"type": "rawKeyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229, "nativeVirtualKeyCode": 229}
        await typing.send("Input.dispatchKeyEvent", composing)
        await expect(page.locator(".turn")).to_have_count(0)
        await typing.send("Input.insertText", {"text": "차"})
        await page.keyboard.press("Enter")
        await expect(page.locator(".turn .question")).to_have_text("연차")
        await expect(page.locator(".turn[data-answer]")).to_have_count(1)
        await expect(page.locator("#text")).to_have_value("")
        await page.reload()
        await expect(page.locator(".turn")).to_have_count(1)


async def test_an_input_method_that_only_inserts_the_line_break_sends_too(chrome, site, roles):
    async with opened(chrome, site, WIDE_KO) as browser:
        page = browser.page
        await browser.signs_in(link(roles))
        typing = await page.context.new_cdp_session(page)
        await page.locator("#text").focus()
        await typing.send("Input.imeSetComposition", {"text": "연차", "selectionStart": 2, "selectionEnd": 2})
        await typing.send("Input.insertText", {"text": "연차"})
        await typing.send("Input.dispatchKeyEvent", {"type": "char", "text": "\r"})  # as Safari does after the syllable: no second keydown
        await expect(page.locator(".turn .question")).to_have_text("연차")
        await expect(page.locator("#text")).to_have_value("")


async def test_shift_enter_is_a_new_line_and_a_double_click_is_one_question(chrome, site, roles):
    async with opened(chrome, site, WIDE_EN) as browser:
        page = browser.page
        await browser.signs_in(link(roles))
        await page.locator("#text").fill("one")
        await page.locator("#text").press("Shift+Enter")
        await page.keyboard.type("two")
        await expect(page.locator("#text")).to_have_value("one\ntwo")
        await page.locator("#send").dblclick()
        await expect(page.locator(".turn[data-answer]")).to_have_count(1)
        await page.reload()
        await expect(page.locator(".turn")).to_have_count(1)


async def test_keys_work_in_hangul_mode_by_their_place_and_never_inside_a_text_field(chrome, site, roles):
    async with opened(chrome, site, WIDE_KO) as browser:
        page = browser.page
        await browser.signs_in(link(roles))
        await page.locator("#text").focus()
        await page.keyboard.type("gr")
        assert page.url.endswith("/chat")
        await expect(page.locator("#text")).to_have_value("gr")
        await page.locator("#scroll").focus()
        typing = await page.context.new_cdp_session(page)
        for key, code in (("ㅎ", "KeyG"), ("ㄱ", "KeyR")):
            await typing.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": key, "code": code, "windowsVirtualKeyCode": 229})
            await typing.send("Input.dispatchKeyEvent", {"type": "keyUp", "key": key, "code": code, "windowsVirtualKeyCode": 229})
        await page.wait_for_url("**/review")
        await page.keyboard.press("Shift+Slash")
        await expect(page.locator("#keys")).to_be_visible()
        await browser.is_accessible("the list of keys")


async def test_what_was_typed_is_kept_when_the_page_is_away_and_goes_on_when_it_is_back(chrome, site, roles, agent: FakeModel, documents):
    roles.start("worker", **agent.env)
    agent.will_stream("하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉 열", tokens=10, hold_after=5)
    async with opened(chrome, site, WIDE_KO) as browser:
        page = browser.page
        await browser.signs_in(link(roles))
        await browser.asks("연차는 며칠까지 이월돼?")
        await expect(page.locator("[data-text]")).to_contain_text("하나 둘 셋", timeout=20_000)
        next(role for role in roles.running if role.role == "web").kill()
        await expect(page.locator("#banner")).to_contain_text("다시 연결하고 있어요", timeout=20_000)
        await browser.shot("7-offline")
        await browser.asks("반차는?")
        await expect(page.locator("#text")).to_have_value("반차는?")
        await expect(page.locator(".turn")).to_have_count(1)
        start_site(roles)
        agent.go_on()
        await expect(page.locator("[data-text]")).to_contain_text("아홉 열", timeout=20_000)
        await expect(page.locator("#banner")).to_be_hidden()
        browser.complaints = [said for said in browser.complaints if "ERR_CONNECTION_REFUSED" not in said and "net::ERR" not in said]


async def test_story_s1_from_the_link_to_the_open_review(chrome, site, roles):
    """Without any key: a link, a question about nod, quotes, their source, a thumb with its reason, the review page."""
    roles.start("worker")
    roles.run("ingest", "--handbook")
    async with opened(chrome, site, Look(1280, "light", "ko")) as browser:
        page = browser.page
        await browser.signs_in(link(roles))
        await expect(page.locator("#text")).to_be_focused()
        await expect(page.locator(".side .tasks .done")).to_have_count(0)
        await page.get_by_role("button", name="nod를 Slack에 어떻게 연결해?").click()
        await expect(page.locator(".sources .source").first).to_be_visible(timeout=20_000)
        await expect(page.locator(".notice")).to_contain_text("언어 모델이 없어서")
        await browser.shot("s1-quotes")
        await page.locator(".text .cite").first.click()
        await expect(page.locator("#pane .marked")).to_be_in_viewport()
        await browser.shot("s1-source")
        await page.keyboard.press("Escape")
        await page.keyboard.press("Minus")
        await expect(page.locator(".why")).to_be_visible()
        await expect(page.locator(".why")).to_contain_text("본인과 검토자만 볼 수 있어요.")
        await browser.does_not_scroll("a long answer with reasons open")
        await expect(page.locator(".why .button")).to_be_in_viewport(ratio=1)
        await page.keyboard.press("Digit4")
        await page.keyboard.press("Enter")
        await expect(page.locator(".thanks")).to_contain_text("고마워요.")
        await expect(page.locator(".side .tasks .done")).to_have_count(2)
        await page.get_by_role("link", name="검토 대기 1건").click()
        await page.wait_for_url("**/review")
        card = page.locator(".card")
        await expect(card).to_have_count(1)
        await expect(card).to_contain_text("빠진 게 있어요")
        await card.locator(".button.fixable").click()
        await card.locator("textarea").fill("`.venv/bin/nod setup slack`을 실행해요.")
        await browser.shot("s1-review")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(".card.done")).to_contain_text("저장했어요")
        await expect(page.locator("#waiting")).to_be_hidden()
        await page.get_by_role("button", name="되돌리기").click()
        await expect(page.locator(".card .verdicts")).to_be_visible()


async def test_a_pdf_dropped_on_the_box_is_read_for_this_conversation_only(chrome, site, roles, tmp_path):
    from reportlab.pdfgen.canvas import Canvas

    pdf = tmp_path / "contract.pdf"
    canvas = Canvas(str(pdf))
    canvas.drawString(72, 720, "The notice period of the Meyer contract is seven weeks.")
    canvas.save()
    roles.start("worker")
    async with opened(chrome, site, WIDE_EN) as browser:
        page = browser.page
        await browser.signs_in(link(roles))
        given = await page.evaluate_handle(
            """(bytes) => { const data = new DataTransfer();
                data.items.add(new File([new Uint8Array(bytes)], 'contract.pdf', {type: 'application/pdf'})); return data; }""",
            list(pdf.read_bytes()),
        )
        await page.dispatch_event("#text", "dragenter", {"dataTransfer": given})
        await expect(page.locator("#drop")).to_be_visible()
        await page.dispatch_event("#text", "drop", {"dataTransfer": given})
        await expect(page.locator(".chip.ready")).to_contain_text("this conversation only", timeout=30_000)
        await browser.shot("8-file")
        await browser.asks("How long is the notice period of the Meyer contract?")
        await expect(page.locator(".text")).to_contain_text("seven weeks", timeout=20_000)
        await page.locator(".text .cite").first.click()
        await is_marked_in_view(page, "seven weeks")
        await expect(page.locator("#pane")).to_contain_text("p. 1")
        await page.locator(".side .new").click()
        await browser.asks("How long is the notice period of the Meyer contract?")
        await expect(page.locator(".turn[data-live]")).to_have_count(0, timeout=20_000)
        await expect(page.locator(".turns")).not_to_contain_text("seven weeks")


async def test_a_deleted_conversation_offers_the_way_back(chrome, site, roles):
    async with opened(chrome, site, WIDE_EN) as browser:
        page = browser.page
        await browser.signs_in(link(roles))
        await browser.asks("Anything?")
        await expect(page.locator(".turn[data-answer]")).to_have_count(1)
        await page.reload()
        await page.locator(".talk-head .menu summary").click()
        await page.locator("[data-delete-conversation]").click()
        await expect(page.locator(".turns")).to_be_hidden()
        await page.locator(".toast .button").click()
        await expect(page.locator(".turn .question")).to_have_text("Anything?")


async def test_a_question_sent_while_its_file_is_still_on_the_way_takes_it_along(chrome, site, roles):
    roles.start("worker")
    async with opened(chrome, site, WIDE_KO) as browser:
        page, let_go = browser.page, asyncio.Event()
        await browser.signs_in(link(roles))

        async def held(route):
            await let_go.wait()
            await route.continue_()

        await page.route("**/files", held)
        content = "# 계약\n\n마이어 계약의 해지 통보 기간은 일곱 주입니다.\n".encode()
        await page.locator("#file").set_input_files({"name": "계약.md", "mimeType": "text/markdown", "buffer": content})
        await browser.asks("마이어 계약의 해지 통보 기간은?")
        await expect(page.locator(".turn .note")).to_have_text("파일부터 올리고 있어요…")
        let_go.set()
        await expect(page.locator(".text")).to_contain_text("일곱 주", timeout=30_000)
        await expect(page.locator(".given")).to_contain_text("계약.md")
        await expect(page.locator(".chip")).to_have_count(0)

        asked: list[str] = []
        page.once("dialog", lambda dialog: (asked.append(dialog.message), asyncio.ensure_future(dialog.accept())))
        await page.locator(".given button").click()  # to teach it to everyone is a step of its own
        await expect(page.locator(".given")).to_contain_text("1개 배웠어요", timeout=20_000)
        assert "모두 볼 수 있어요" in asked[0]


async def test_files_dropped_on_the_knowledge_page_are_learnt_and_shown(chrome, site, roles, tmp_path):
    roles.start("worker")
    async with opened(chrome, site, WIDE_KO) as browser:
        page = browser.page
        await browser.signs_in(link(roles))
        await page.goto(f"{site}/knowledge")
        given = await page.evaluate_handle(
            """() => { const data = new DataTransfer();
                data.items.add(new File(['# 출장\\n\\n출장비는 열흘 안에 신청합니다.\\n'], '출장.md', {type: 'text/markdown'}));
                data.items.add(new File(['%PDF-1.4 nothing'], '계약서.pdf', {type: 'application/pdf'})); return data; }"""
        )
        await page.dispatch_event("main", "dragenter", {"dataTransfer": given})
        await expect(page.locator("#drop")).to_be_visible()
        await page.dispatch_event("main", "drop", {"dataTransfer": given})
        await expect(page.locator(".state.ready")).to_have_count(1, timeout=30_000)
        await expect(page.locator(".state.failed")).to_contain_text("계약서.pdf", timeout=30_000)
        await browser.shot("9-learnt")
        await browser.is_accessible("knowledge with a failure")
