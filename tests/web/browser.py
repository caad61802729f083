"""A person at a browser: headless Chromium on a page that runs as real processes."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser as Chrome
from playwright.async_api import Page, async_playwright

from tests.chromium import found

SCREENSHOTS = Path(__file__).parents[2] / "artifacts" / "screenshots"
_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip
_WATCH = """() => {
  window.seen = [];
  new MutationObserver(() => {
    const texts = document.querySelectorAll('.turn [data-text]');
    const text = texts[texts.length - 1]?.textContent ?? '';
    if (text && text !== window.seen.at(-1)) window.seen.push(text);
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


@dataclass(frozen=True)
class Look:
    """A screen: how wide, light or dark, in which language."""

    width: int
    scheme: str
    language: str

    @property
    def name(self) -> str:
        return f"{self.width}-{self.scheme}-{self.language}"

    @property
    def is_phone(self) -> bool:
        return self.width < 720


@dataclass
class Browser:
    """One tab. Whatever its console complains about is collected; what a test expects there it takes out again."""

    page: Page
    look: Look
    site: str
    complaints: list[str] = field(default_factory=list)

    async def signs_in(self, link: str) -> None:
        await self.page.goto(link)
        await self.does_not_scroll("the sign-in page")
        await self.page.get_by_role("button").click()
        await self.page.wait_for_url("**/chat")

    async def asks(self, text: str) -> None:
        await self.page.locator("#text").fill(text)
        await self.page.locator("#text").press("Enter")

    async def watches(self) -> None:
        """From now on remember every text the last answer shows: `seen`."""
        await self.page.evaluate(_WATCH)

    async def seen(self) -> list[str]:
        return await self.page.evaluate("window.seen")

    async def shot(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.wait_for_timeout(250)  # animations end; nothing depends on it
        await self.page.screenshot(path=SCREENSHOTS / f"{name}-{self.look.name}.png")

    async def is_accessible(self, where: str) -> None:
        found = await Axe().run(self.page)
        serious = [
            f"{violation['id']}: {violation['help']}: {[node['html'][:150] for node in violation['nodes'][:3]]}"
            for violation in found.response["violations"]
            if violation["impact"] in ("serious", "critical")
        ]
        assert serious == [], f"axe-core on {where} ({self.look.name})"

    async def has_no_narrow_targets(self, where: str) -> None:
        """On a phone everything that can be pressed is at least 44 px high."""
        small = await self.page.evaluate("""() => [...document.querySelectorAll('button, summary, .tabs a, .button, .reason span, textarea')]
            .filter((e) => e.checkVisibility() && !e.closest('.text') && e.getBoundingClientRect().height < 43.5 && e.getBoundingClientRect().height > 1)
            .map((e) => `${e.outerHTML.slice(0, 90)} ${e.getBoundingClientRect().height}`)""")
        assert not small, f"on {where} too low to press: {small}"

    async def does_not_scroll(self, where: str) -> None:
        """What does not fit scrolls in its own pane, never the page beside it."""
        high = await self.page.evaluate("document.scrollingElement.scrollHeight - innerHeight")
        assert high <= 0, f"{where} is {high} px higher than the screen ({self.look.name})"

    async def does_not_scroll_sideways(self, where: str) -> None:
        assert await self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{where} is wider than the screen"


def chromium() -> str:
    """Return the path of a Chromium; without one the test is skipped, in CI it fails."""
    path = found()
    if not path and os.environ.get("CI") == "true":
        pytest.fail("No Chromium: CI must run the browser tests. Debian, Ubuntu: apt-get install chromium")
    if not path:
        pytest.skip("no Chromium on this machine; `make test` installs one where it may")
    return path


@asynccontextmanager
async def launched() -> AsyncIterator[Chrome]:
    """Give a running Chromium."""
    path = chromium()
    async with async_playwright() as playwright:
        chrome = await playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield chrome
        await chrome.close()


@asynccontextmanager
async def opened(chrome: Chrome, site: str, look: Look) -> AsyncIterator[Browser]:
    """Give a tab with no memory of others; at its end nothing may have been complained about."""
    context = await chrome.new_context(
        viewport={"width": look.width, "height": 740 if look.is_phone else 800}, color_scheme=look.scheme,  # type: ignore[arg-type]
        locale={"ko": "ko-KR", "en": "en-US"}[look.language], timezone_id="Asia/Seoul", has_touch=look.is_phone,
    )  # fmt: skip
    browser = Browser(await context.new_page(), look, site)
    browser.page.on("console", lambda said: browser.complaints.append(said.text) if said.type in ("error", "warning") else None)
    browser.page.on("pageerror", lambda error: browser.complaints.append(str(error)))
    try:
        yield browser
        assert browser.complaints == [], browser.complaints
    finally:
        await context.close()
