"""A web site stays in step: what is below its address, as its robots.txt allows, slowly; only what the site says is gone is forgotten."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from knowledge.following import followed
from knowledge.reading import Reader
from knowledge.sources import site as sites
from knowledge.sources.followed import Means
from knowledge.sources.links import MOST_SITEMAP_BYTES, links_from, locations_from
from knowledge.sources.url import Address
from knowledge.sync import Synced, Syncing, claim, follow_now
from nod.contracts import EVERYONE
from tests.fakes.site import FakeSite, standing
from tests.knowledge.conftest import Knowledge


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, instead of waiting."""
    waited: list[float] = []

    async def rest(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(sites, "rest", rest)
    return waited


@pytest.fixture
async def site(pauses: list[float]) -> AsyncIterator[FakeSite]:
    async with standing() as site:
        yield site


class Keeper:
    """A process that keeps /docs/ of the site in step."""

    def __init__(self, knowledge: Knowledge, reader: Reader, site: FakeSite, data_dir: Path) -> None:
        self.knowledge, self.engine, self.site, self.reader = knowledge, knowledge.engine, site, reader
        self.location = f"{site.address}/docs/"
        self.means = Means(data_dir, is_allowed=self.allows)
        self.allowed = ("127.0.0.1",)

    def allows(self, address: Address) -> bool:
        return str(address) in self.allowed

    async def learns(self, location: str = "") -> Synced:
        """What `nod ingest ADDRESS --site` does."""
        return await follow_now(Syncing(self.engine, self.reader, self.means, is_asked=True), "site", location or self.location, EVERYONE)

    async def looks(self) -> Synced:
        """What a worker does when the site is due."""
        async with self.engine.begin() as db:
            await db.execute(text("UPDATE sources SET due_at = now()"))
        claimed = await claim(self.engine, "site")
        assert claimed
        synced = await Syncing(self.engine, self.reader, self.means).run(claimed)
        assert synced
        return synced

    def seen(self, synced: Synced) -> dict[str, str]:
        """What became of each page, by its path."""
        states = {one.location: one.state for one in synced.documents} | dict.fromkeys(synced.removed, "removed")
        return {location.removeprefix(self.site.address): state for location, state in states.items()}


@pytest.fixture
def keeper(knowledge: Knowledge, reader: Reader, site: FakeSite, tmp_path: Path) -> Keeper:
    return Keeper(knowledge, reader, site, tmp_path)


async def test_what_is_below_the_address_is_learnt_and_followed(keeper: Keeper, site: FakeSite, pauses: list[float]):
    site.links("/docs/", "a", "../other/", "https://elsewhere.example/docs/", "b?page=2", "logo.png", "mailto:a@b.c", "#top", text="시작")
    site.links("/docs/a", "/docs/deep/c.html", text="연차 이월", etag='"1"')
    site.links("/docs/deep/c.html", "/docs/", "../a#x", text="반차")
    assert keeper.seen(await keeper.learns()) == {"/docs/": "learnt", "/docs/a": "learnt", "/docs/deep/c.html": "learnt"}
    assert site.paths() == ["/docs/", "/docs/a", "/docs/deep/c.html"]
    assert site.agents == {"nod/0.1.0"}
    assert pauses == [1.0] * 4  # five requests with robots.txt and the sitemap, one after the other
    assert "/docs/a" in await keeper.knowledge.titles("연차 이월")

    site.links("/docs/", "a", "new", text="시작")
    site.links("/docs/new", text="점심")
    site.pages.pop("/docs/deep/c.html")
    assert keeper.seen(await keeper.looks()) == {
        "/docs/": "learnt", "/docs/a": "unchanged", "/docs/new": "learnt", "/docs/deep/c.html": "removed",
    }  # fmt: skip
    assert ("/docs/a", 304) in site.visits
    assert await keeper.knowledge.titles("반차") == []
    (row,) = await followed(keeper.engine)
    assert (row.kind, row.documents, row.error) == ("site", 3, None)
    assert row.synced_at
    assert 86_000 < (row.due_at - row.synced_at).total_seconds() <= 86_400


@pytest.mark.parametrize("status", [500, 403, 503, 429])
async def test_trouble_is_no_deletion(keeper: Keeper, site: FakeSite, status: int):
    site.links("/docs/", "a")
    site.links("/docs/a", text="연차 이월")
    await keeper.learns()
    site.holds("/docs/a", status=status)
    synced = await keeper.looks()
    assert synced.removed == []
    assert (synced.error is not None) == (status in (503, 429))  # asked for a pause, nod goes on later
    assert await keeper.knowledge.titles("연차 이월") == ["/docs/a"]
    site.holds("/docs/", status=404)
    assert (await keeper.looks()).error  # the first page is gone: the site is somewhere else, or broken
    assert await keeper.knowledge.titles("연차 이월") == ["/docs/a"]


async def test_robots_are_told_and_obey(keeper: Keeper, site: FakeSite, pauses: list[float]):
    site.holds("/robots.txt", "User-agent: nod\nCrawl-delay: 7\nDisallow: /docs/private\nDisallow: /*.pdf$\n", media_type="text/plain")
    site.links("/docs/", "private/a", "b.pdf", "c", "d", "e")
    site.links("/docs/c", "f", head='<meta name="robots" content="noindex, nofollow">')
    site.links("/docs/d", "f", head='<meta name="robots" content="nofollow">')
    site.links("/docs/e", x_robots_tag="noindex")
    assert keeper.seen(await keeper.learns()) == {"/docs/": "learnt", "/docs/d": "learnt"}
    assert site.paths() == ["/docs/", "/docs/c", "/docs/d", "/docs/e"]
    assert set(pauses) == {7.0}
    site.holds("/robots.txt", "User-agent: *\nDisallow: /docs/d\n", media_type="text/plain")
    assert keeper.seen(await keeper.looks())["/docs/d"] == "removed"


@pytest.mark.parametrize(
    ("robots", "status", "kind"),
    [
        ("", 503, "robots"),
        ("User-agent: *\nDisallow: /", 200, "robots_refuse"),
        ("User-agent: *\nCrawl-delay: 86400", 200, "robots_refuse"),
    ],
)
async def test_a_site_that_refuses_robots_is_left_alone(keeper: Keeper, site: FakeSite, robots: str, status: int, kind: str):
    site.links("/docs/")
    site.holds("/robots.txt", robots, status, "text/plain")
    synced = await keeper.learns()
    assert synced.error
    assert synced.error.kind == kind
    assert site.paths() == []
    assert await followed(keeper.engine) == []


async def test_a_sitemap_names_pages_that_nothing_leads_to_even_with_a_query(keeper: Keeper, site: FakeSite):
    here = keeper.location
    inner = f"<urlset><url><loc>{here}a?lang=ko&amp;v=2</loc></url><url><loc>{site.address}/else</loc></url></urlset>"
    site.holds("/robots.txt", f"Sitemap: {site.address}/index.xml\nSitemap: http://127.0.0.2/x.xml", media_type="text/plain")
    site.holds("/index.xml", f"<sitemapindex><sitemap><loc>{site.address}/one.xml.gz</loc></sitemap></sitemapindex>", media_type="text/xml")
    site.holds("/one.xml.gz", gzip.compress(inner.encode()), media_type="application/gzip")
    site.links("/docs/")
    site.links("/docs/a?lang=ko&v=2", text="연차")
    assert keeper.seen(await keeper.learns()) == {"/docs/": "learnt", "/docs/a?lang=ko&v=2": "learnt"}


async def test_one_page_by_many_addresses_is_learnt_once(keeper: Keeper, site: FakeSite):
    canonical = f'<link rel="canonical" href="{keeper.location}page">'
    round_1, round_2 = (f'<link rel=canonical href="{keeper.location}{name}">' for name in ("two", "one"))
    site.links("/docs/", "page/print", "page", "moved", "one", "two", "out")
    site.links("/docs/page", head=canonical)
    site.links("/docs/page/print", head=canonical)
    site.links("/docs/one", head=round_1)
    site.links("/docs/two", head=round_2)
    site.holds("/docs/moved", status=301, location="/docs/page")
    site.holds("/docs/out", status=302, location="/login")
    site.links("/login")
    assert keeper.seen(await keeper.learns()) == {"/docs/": "learnt", "/docs/page": "learnt", "/docs/two": "learnt"}


async def test_a_page_that_moved_for_good_is_gone_from_where_it_was_and_one_behind_a_login_is_not(keeper: Keeper, site: FakeSite):
    site.links("/docs/", "a", "b")
    site.links("/docs/a")
    site.links("/docs/b")
    await keeper.learns()
    site.holds("/docs/a", status=301, location="/else/a")
    site.holds("/docs/b", status=302, location="/login")
    site.links("/else/a")
    site.links("/login")
    assert keeper.seen(await keeper.looks()) == {"/docs/": "unchanged", "/docs/a": "removed"}


async def test_an_address_that_leads_elsewhere_says_where(keeper: Keeper, site: FakeSite):
    site.holds("/docs/", status=301, location="/handbook/")
    site.links("/handbook/")
    assert str((await keeper.learns()).error) == f"{keeper.location} leads to {site.address}/handbook/; give that address instead."


async def test_no_page_leads_into_the_own_network(keeper: Keeper, site: FakeSite):
    port = site.address.rpartition(":")[2]
    site.holds("/robots.txt", status=302, location=f"http://127.0.0.2:{port}/robots.txt")
    site.links("/docs/")
    error = (await keeper.learns()).error
    assert error
    assert error.kind == "forbidden_address"
    site.pages.pop("/robots.txt")
    site.holds("/sitemap.xml", status=302, location=f"http://127.0.0.2:{port}/sitemap.xml")
    site.links("/docs/", "a")
    site.holds("/docs/a", status=302, location=f"http://127.0.0.2:{port}/docs/b")
    site.paths()
    assert keeper.seen(await keeper.learns()) == {"/docs/": "learnt", "/docs/a": "failed"}
    assert site.paths() == ["/docs/", "/docs/a"]


@pytest.mark.parametrize(
    ("limit", "value", "note"),
    [("MOST_PAGES", 5, "pages"), ("MOST_BYTES", 400, "bytes"), ("MOST_SECONDS", -1, "time"), ("MOST_DEPTH", 3, "depth")],
)
async def test_a_site_without_end_ends_at_a_limit_and_says_at_which(
    keeper: Keeper, site: FakeSite, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, note: str
):
    monkeypatch.setattr(sites, limit, value)
    for n in range(12):
        site.links(f"/docs/{n}" if n else "/docs/", f"/docs/{n + 1}")
    synced = await keeper.learns()
    assert synced.note == note
    assert len(synced.documents) < 7
    (row,) = await followed(keeper.engine)
    assert (row.note, row.error) == (note, None)


async def test_a_walk_that_was_broken_off_finds_the_rest(keeper: Keeper, site: FakeSite):
    site.links("/docs/", "a", etag='"1"')
    site.links("/docs/a", "b", etag='"2"')
    site.holds("/docs/b", status=503)
    assert (await keeper.learns()).error
    site.links("/docs/b", text="끝")
    assert keeper.seen(await keeper.looks()) == {"/docs/": "unchanged", "/docs/a": "unchanged", "/docs/b": "learnt"}


def test_no_page_costs_more_than_its_length():
    for nasty in ("<!--", "<script", "<a href=", "<a href='", "<a " + "x=y " * 10, '<meta content="', "<a\t"):
        assert links_from(nasty.encode() * (2**20 // len(nasty))) is not None
    bomb = gzip.compress(bytes(2 * MOST_SITEMAP_BYTES))
    assert locations_from(bomb) == ([], False)
    assert locations_from(b"\x1f\x8bnot really") == ([], False)
