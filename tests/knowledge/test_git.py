"""A Git repository stays in step: only what changed is read, nothing of it is run, and git reaches no other host than the checked one."""

import base64
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from knowledge.following import followed
from knowledge.reading import Reader
from knowledge.sources import Origin, git
from knowledge.sources.followed import Means, kind_of
from knowledge.sources.git import address_of, repository
from knowledge.sync import Syncing, follow_now
from nod.contracts import EVERYONE
from nod.errors import LoadError
from tests.fakes.git import FakeForge, FakeRepository, has_git, standing
from tests.knowledge.conftest import Knowledge
from tests.knowledge.test_url import SPELLINGS, loopback

pytestmark = pytest.mark.skipif(not has_git(), reason="no git on this machine")

LEAVE = "# 휴가\n\n연차는 5일까지 이월돼요.\n"
VPN = "# VPN\n\nOpen the client and choose Seoul.\n"


@pytest.fixture
def wiki(tmp_path: Path) -> FakeRepository:
    return FakeRepository(tmp_path / "wiki")


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[FakeForge]:
    async with standing(tmp_path / "wiki") as forge:
        forge.repository.commits("2026-01-02", {"휴가.md": LEAVE, "it/vpn.md": VPN})
        yield forge


async def refusal(location: str, data_dir: Path, **how: Any) -> LoadError:
    with pytest.raises(LoadError) as refused:
        await repository(location, data_dir, **how)
    return refused.value


def blobs(origin: Origin) -> dict[str, str | None]:
    return {item.location: item.stamp for item in origin.items}


async def test_a_repository_is_learnt_and_followed(knowledge: Knowledge, reader: Reader, wiki: FakeRepository, tmp_path: Path):
    syncing = Syncing(knowledge.engine, reader, Means(tmp_path), is_asked=True)
    location = address_of(str(wiki.folder))

    async def syncs() -> dict[str, str]:
        synced = await follow_now(syncing, "git", location, EVERYONE)
        assert synced.error is None
        return {one.location: one.state for one in synced.documents} | dict.fromkeys(synced.removed, "removed")

    wiki.commits("2026-01-02", {"휴가.md": LEAVE, "it/vpn.md": VPN, ".github/x.md": "hidden", "logo.png": b"\x89PNG"})
    wiki.commits("2026-01-05", {"it/vpn.md": VPN + "\nOr Busan.\n"})
    assert await syncs() == {"it/vpn.md": "learnt", "휴가.md": "learnt"}
    async with knowledge.engine.connect() as db:
        rows = await db.execute(text("SELECT location, document_date FROM documents"))
        assert {row.location: f"{row.document_date:%m-%d}" for row in rows} == {"휴가.md": "01-02", "it/vpn.md": "01-05"}
    wiki.commits("2026-01-09", {"휴가.md": None, "새.md": "# 새 규정\n\n점심은 12시예요.\n"})
    assert await syncs() == {"it/vpn.md": "unchanged", "새.md": "learnt", "휴가.md": "removed"}
    assert await knowledge.titles("연차 이월") == []
    wiki.commits("2026-01-10", {"휴가.md": LEAVE})  # what it held before, again
    assert (await syncs())["휴가.md"] == "learnt"
    (row,) = await followed(knowledge.engine)
    assert (row.kind, row.documents, row.every_seconds) == ("git", 3, 300)


async def test_links_submodules_filters_and_hooks_do_nothing(wiki: FakeRepository, tmp_path: Path):
    (wiki.folder / "passwd.md").symlink_to("/etc/passwd")
    ran = tmp_path / "ran"
    wiki.commits(
        "2026-01-02", {"a.md": LEAVE, ".gitattributes": "*.md filter=evil\n", ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ../x\n'}
    )
    wiki.git("update-index", "--add", "--cacheinfo", f"160000,{wiki.git('rev-parse', 'HEAD')},x.md")
    wiki.git("commit", "-qm", "submodule")
    for name in ("post-checkout", "post-merge", "pre-auto-gc", "reference-transaction"):
        hook = wiki.folder / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
        hook.chmod(0o755)
    wiki.git("config", "filter.evil.smudge", f"touch {ran}")
    wiki.git("config", "uploadpack.packObjectsHook", f"touch {ran};")
    origin = await repository(str(wiki.folder), tmp_path)
    assert list(blobs(origin)) == ["a.md"]
    assert (await origin.items[0].fetch()).content.decode() == LEAVE
    assert not ran.exists()


async def test_a_forge_is_asked_for_what_is_new_alone(forge: FakeForge, tmp_path: Path):
    first = await repository(forge.address, tmp_path, is_allowed=loopback)
    contents = [await item.fetch() for item in first.items]
    assert [(one.name, f"{one.date:%m-%d}", one.url) for one in contents] == [("it/vpn.md", "01-02", None), ("휴가.md", "01-02", None)]
    forge.asked.clear()
    assert (await repository(forge.address, tmp_path, is_allowed=loopback)).stamp == first.stamp
    assert len(forge.asked) == 2  # which commit is the newest
    forge.repository.commits("2026-01-05", {"휴가.md": LEAVE.replace("5일", "10일")})
    second = await repository(forge.address, tmp_path, is_allowed=loopback)
    assert second.stamp != first.stamp
    assert blobs(second)["it/vpn.md"] == blobs(first)["it/vpn.md"]
    assert f"{(await second.items[1].fetch()).date:%m-%d}" == "01-05"


async def test_a_file_older_than_the_copy_remembers_has_no_date(forge: FakeForge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(git, "HISTORY", 2)
    for day in ("03", "04", "05"):
        forge.repository.commits(f"2026-01-{day}", {"휴가.md": LEAVE + day})
    origin = await repository(forge.address, tmp_path, is_allowed=loopback)
    assert [content.date and f"{content.date:%m-%d}" for content in [await item.fetch() for item in origin.items]] == [None, "01-05"]


async def test_what_a_killed_git_left_behind_is_no_hindrance(forge: FakeForge, tmp_path: Path):
    copy = git.copy_of(tmp_path, forge.address)
    await repository(forge.address, tmp_path, is_allowed=loopback)
    (copy / "config.lock").touch()
    (copy / "shallow.lock").touch()
    forge.repository.commits("2026-01-05", {"새.md": VPN})
    assert "새.md" in blobs(await repository(forge.address, tmp_path, is_allowed=loopback))
    for pack in copy.glob("objects/pack/*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(b"broken")
    again = await repository(forge.address, tmp_path, is_allowed=loopback)
    assert [(await item.fetch()).content.decode() for item in again.items] == [VPN, VPN, LEAVE]


# ── which host ──


async def test_git_connects_to_the_very_address_that_was_checked(forge: FakeForge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """No name server of this machine knows the host: git can only have it from us, and a second answer is asked of nobody."""
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def once(host: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        return resolve("127.0.0.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", once)
    port = forge.address.rpartition(":")[2].partition("/")[0]
    origin = await repository(
        f"http://rebinding.example:{port}/o/wiki.git", tmp_path, is_allowed=lambda address: str(address) == "127.0.0.1"
    )
    assert len(origin.items) == 2
    assert asked == ["rebinding.example"]
    assert forge.hosts == {f"rebinding.example:{port}"}


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_no_spelling_of_an_inner_address_is_reached(spelling: str, forge: FakeForge, tmp_path: Path):
    port = forge.address.rpartition(":")[2].partition("/")[0]
    with pytest.raises(LoadError) as refused:
        await repository(address_of(f"http://{spelling}:{port}/o/wiki.git"), tmp_path)
    assert refused.value.kind in ("forbidden_address", "secret_in_address", "unreachable")
    assert forge.asked == []


async def test_no_redirect_is_followed(forge: FakeForge, tmp_path: Path):
    forge.moved_to = forge.address.replace("127.0.0.1", "127.0.0.2").removesuffix("/o/wiki.git")
    assert (await refusal(forge.address, tmp_path, is_allowed=loopback)).kind == "leads_elsewhere"
    assert {host.partition(":")[0] for host in forge.hosts} == {"127.0.0.1"}


@pytest.mark.parametrize(
    "name", ["ext::sh -c touch% /tmp/x", "ssh://git@example.com/o/r.git", "git@example.com:o/r.git", "git://example.com/r.git",
             "file:///etc", "--upload-pack=x", "https://example.com/a b.git", "https://example.com\\@127.0.0.1/r.git", "ftp://example.com/r.git"],
)  # fmt: skip
def test_only_https_addresses_and_folders_are_repositories(name: str):
    with pytest.raises(LoadError) as refused:
        address_of(name)
    assert refused.value.kind in ("forbidden_address", "secret_in_address")


# ── tokens ──


async def test_a_token_goes_to_its_host_by_https_alone_and_is_seen_nowhere(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))])
    tokens = {"github.com": "ghp_secret", "gitlab.com": "oauth2:glpat-secret"}
    header = base64.b64encode(b"x-access-token:ghp_secret").decode()

    async def told(address: str) -> str:
        return str(await git._environment(address, tokens, lambda _: True))

    assert header in await told("https://github.com/o/r.git")
    assert base64.b64encode(b"oauth2:glpat-secret").decode() in await told("https://gitlab.com/o/r.git")
    for elsewhere in ("http://github.com/o/r.git", "https://github.com.evil.example/o/r.git", "https://example.com/o/r.git"):
        assert "Authorization" not in await told(elsewhere)
    assert "secret" not in repr(Means(Path(), tokens))


def test_a_password_in_an_address_is_refused_and_not_repeated():
    with pytest.raises(LoadError) as refused:
        address_of("https://jisu:hunter2@github.com/o/r.git")
    assert refused.value.kind == "secret_in_address"
    assert "hunter2" not in str(refused.value)
    assert "NOD_GIT_TOKENS=github.com=TOKEN" in str(refused.value)


async def test_trouble_is_said_in_a_sentence(forge: FakeForge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    wrong = forge.address.replace("wiki", "other")
    assert str(await refusal(wrong, tmp_path, is_allowed=loopback)) == f"{wrong} holds no Git repository."
    forge.token = "right"
    refused = await refusal(forge.address, tmp_path, is_allowed=loopback)
    assert str(refused).startswith(f"{forge.address} does not exist, or its token is missing or refused;")
    monkeypatch.setattr(git, "LEAST_VERSION", (99, 0))
    assert "needs git 99.0 or newer; this is git version" in str(await refusal(str(forge.repository.folder), tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert (await refusal(str(forge.repository.folder), tmp_path)).kind == "no_git"


async def test_a_file_in_lfs_says_so(wiki: FakeRepository, tmp_path: Path):
    wiki.commits("2026-01-02", {"a.pdf": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"})
    origin = await repository(str(wiki.folder), tmp_path)
    with pytest.raises(LoadError, match=r"a\.pdf is kept in Git LFS"):
        await origin.items[0].fetch()


def test_files_open_where_the_form_of_their_forge_is_known():
    assert (
        git._link("https://github.com/o/r.git", "c0ffee", "문서/a b.md") == "https://github.com/o/r/blob/c0ffee/%EB%AC%B8%EC%84%9C/a%20b.md"
    )
    assert git._link("https://gitlab.com/o/p/r", "c0ffee", "a.md") == "https://gitlab.com/o/p/r/-/blob/c0ffee/a.md"
    assert git._link("https://git.example.com/o/r.git", "c0ffee", "a.md") is None
    assert git._link("/srv/wiki", "c0ffee", "a.md") is None


def test_what_is_a_repository_by_its_name(wiki: FakeRepository, tmp_path: Path):
    wiki.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    assert [kind_of(name) for name in ("https://x.example/r.git", "git@x.example:r.git", str(tmp_path / "bare"))] == ["git"] * 3
    assert [kind_of(name) for name in ("https://x.example/r", str(wiki.folder), "a.git")] == [None] * 3
