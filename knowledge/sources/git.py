"""The files of a Git repository as its newest commit holds them.

The `git` program keeps a bare copy: the newest commit whole, up to a thousand before it without their files, which say when each file
changed last. Nothing is ever checked out, so no hook, filter, submodule or link of a repository does anything here. A host is resolved and
checked once and git is told to go there and nowhere else: it follows no redirect, uses no proxy, asks nobody for a password.
"""

import asyncio
import base64
import contextlib
import os
import re
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path, PurePosixPath

import httpx

from knowledge.loaders import SUFFIXES
from knowledge.reading import MOST_BYTES
from knowledge.sources import Content, Item, Origin
from knowledge.sources.url import USER_AGENT, IsAllowed, checked_address, is_public
from nod.errors import LoadError
from nod.language import clean
from nod.logs import redact

MOST_SECONDS = 600
MOST_COPY_MIB = 2048
HISTORY = 1000  # commits that are looked through for the date of a file
LEAST_VERSION = (2, 37)  # which can be told the address of a host
_HEAD = "refs/nod/head"
_LFS = b"version https://git-lfs.github.com/spec/"
_CONFIG = {
    "http.followRedirects": "false", "http.proxy": "", "http.userAgent": f"git/2 {USER_AGENT}", "http.lowSpeedLimit": "500",
    "http.lowSpeedTime": "60", "credential.helper": "", "core.hooksPath": os.devnull, "core.fsmonitor": "false", "gc.auto": "0",
    "maintenance.auto": "false", "fetch.recurseSubmodules": "false", "transfer.bundleURI": "false", "protocol.version": "2",
    "log.showSignature": "false",
}  # fmt: skip
_WORDS = (  # what git says, in which kind of trouble
    ("refused", r"Authentication failed|could not read (?:Username|Password)|error: 40[13]|terminal prompts disabled|HTTP Basic"),
    ("missing", r"error: 404|not found|does not (?:exist|appear to be a git)"),
    ("leads_elsewhere", r"error: 30\d|redirection"),
    ("damaged", r"corrupt|bad object|not a git repository|missing blob|unable to read"),
)
_SENTENCES = {
    "refused": "does not exist, or its token is missing or refused; tokens stand in NOD_GIT_TOKENS as HOST=TOKEN",
    "missing": "holds no Git repository",
    "leads_elsewhere": "leads to another address; give that one",
    "damaged": "left a damaged copy here, which is made anew with the next sync",
}
_FORGES = {
    "github.com": "https://github.com/{path}/blob/{commit}/{file}", "gitlab.com": "https://gitlab.com/{path}/-/blob/{commit}/{file}",
    "bitbucket.org": "https://bitbucket.org/{path}/src/{commit}/{file}",
    "codeberg.org": "https://codeberg.org/{path}/src/commit/{commit}/{file}",
}  # fmt: skip


async def repository(location: str, data_dir: Path, tokens: Mapping[str, str] | None = None, is_allowed: IsAllowed = is_public) -> Origin:
    """Return a repository with the files of its newest commit that nod can read; a file's hash in Git is its stamp. Raises LoadError."""
    copy = _Copy(location, copy_of(data_dir, location), await _environment(location, tokens or {}, is_allowed))
    try:
        commit = await copy.bring_up_to_date()
        listed = [entry for entry in await copy.entries(commit) if entry.is_file]
    except LoadError as error:
        if error.kind == "damaged":
            await asyncio.to_thread(shutil.rmtree, copy.folder, ignore_errors=True)
        raise
    wanted = [entry for entry in listed if entry.suffix in SUFFIXES]
    dates = _Dates(copy, commit)
    items = tuple(Item(clean(entry.path), partial(_fetch, copy, entry, dates, commit), entry.blob) for entry in wanted)
    return Origin("git", location, items, is_whole=True, skipped=len(listed) - len(wanted), stamp=commit)


def copy_of(data_dir: Path, location: str) -> Path:
    """Return where the copy of a repository lies."""
    return data_dir / "git" / sha256(location.encode()).hexdigest()[:24]


def address_of(name: str) -> str:
    """Return the address or path of a repository as it is kept. Raises LoadError when it is none, or holds a password."""
    if "://" not in name:
        if Path(name).is_dir():
            return clean(str(Path(name).resolve()))
        raise LoadError(f"{name} is neither a folder nor an https address of a Git repository.", "forbidden_address")
    try:
        url = httpx.URL(name)
    except httpx.InvalidURL:
        raise LoadError(f"{redact(name)} is not an address.", "forbidden_address") from None
    if (
        url.scheme not in ("http", "https")
        or not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", url.host)
        or not re.fullmatch(r"[\w.~/+%-]+", url.path)
    ):
        raise LoadError(f"{redact(name)} cannot be fetched: give the https address of the repository.", "forbidden_address")
    if url.userinfo:
        words = f"would keep and show its password; give the address without it, and NOD_GIT_TOKENS={url.host}=TOKEN"
        raise LoadError(f"{url.scheme}://[secret]@{url.host}{url.path} {words}.", "secret_in_address")
    return str(url.copy_with(query=None, fragment=None)).rstrip("/")


async def _environment(location: str, tokens: Mapping[str, str], is_allowed: IsAllowed) -> dict[str, str]:
    """Return all that git is told: nothing of the machine's own settings, and in no command line what others could read there."""
    config, protocols = dict(_CONFIG), "file"
    if "://" in location:
        url, protocols = httpx.URL(location), "http:https"
        host, port = url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        address = await checked_address(url, is_allowed)
        config["http.curloptResolve"] = f"{host}:{port}:{f'[{address}]' if address.version == 6 else address}"
        if (token := tokens.get(host)) and url.scheme == "https":
            known = token if ":" in token else f"x-access-token:{token}"
            config[f"http.https://{host}/.extraHeader"] = f"Authorization: Basic {base64.b64encode(known.encode()).decode()}"
    numbered = {
        f"GIT_CONFIG_{what}_{n}": word for n, pair in enumerate(config.items()) for what, word in zip(("KEY", "VALUE"), pair, strict=True)
    }
    return numbered | {
        "GIT_CONFIG_COUNT": str(len(config)), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "", "GIT_ALLOW_PROTOCOL": protocols, "GIT_PROTOCOL_FROM_USER": "0", "LANG": "C.UTF-8", "HOME": os.devnull,
        "PATH": os.environ.get("PATH", os.defpath),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of a commit's list of files."""

    mode: str
    blob: str
    size: int
    path: str

    @property
    def is_file(self) -> bool:
        """Whether it is an ordinary file that is not hidden: no link, no submodule."""
        return self.mode in ("100644", "100755") and not any(part.startswith(".") for part in self.path.split("/"))

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.path).suffix.lower()


@dataclass(frozen=True, slots=True)
class _Copy:
    """The bare copy of a repository."""

    location: str
    folder: Path
    environment: Mapping[str, str]

    async def bring_up_to_date(self) -> str:
        """Fetch what is new; return the newest commit."""
        await self._check_version()
        await asyncio.to_thread(self.folder.mkdir, parents=True, exist_ok=True)
        for lock in self.folder.rglob("*.lock"):  # of a git that was killed; nobody else is at it, as the source's row says
            lock.unlink(missing_ok=True)
        if not (self.folder / "HEAD").exists():
            await self.git("init", "--quiet", "--bare")
        await self.git("config", "remote.origin.url", self.location)
        said = (await self.git("ls-remote", "origin", "HEAD")).split()
        if not said:
            raise LoadError(f"{self.location} holds no commit yet.", "no_text")
        commit = said[0].decode("ascii")
        if not await self._has(_HEAD):
            await self._fetch("--no-filter", "--depth=1")
            with contextlib.suppress(LoadError):  # dates are worth having, not worth failing
                await self._fetch("--filter=blob:none", f"--depth={HISTORY}")
        elif not await self._has(commit):
            await self._fetch("--no-filter")
        return commit

    async def _fetch(self, *words: str) -> None:
        await self.git("fetch", "--quiet", "--no-tags", *words, "origin", f"+HEAD:{_HEAD}")

    async def entries(self, commit: str) -> list[_Entry]:
        """Return the files of a commit."""
        lines = (await self.git("ls-tree", "-r", "-z", "-l", "--full-tree", commit)).decode("utf-8", "replace").split("\0")
        pairs = (line.partition("\t")[::2] for line in lines if line)
        rows = ((head.split(), path) for head, path in pairs)
        return [_Entry(mode, blob, int(size) if size.isdecimal() else 0, path) for (mode, _, blob, size), path in rows]

    async def git(self, *words: str) -> bytes:
        """Return what git prints. Raises LoadError with git's own last words, or the sentence for them."""
        limited = f'ulimit -f {MOST_COPY_MIB * 2048}; exec git --git-dir="$0" "$@"'  # blocks of 512 bytes
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", limited, str(self.folder), *words, env=dict(self.environment), cwd="/", start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(MOST_SECONDS):
                said, complained = await process.communicate()
        except TimeoutError:
            raise LoadError(f"{self.location} takes longer than {MOST_SECONDS // 60} minutes to copy.", "too_slow") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        if process.returncode:
            raise self._trouble(process.returncode, complained.decode("utf-8", "replace"))
        return said

    def _trouble(self, code: int, words: str) -> LoadError:
        if code in (-signal.SIGXFSZ, 128 + signal.SIGXFSZ) or "File too large" in words or "SIGXFSZ" in words:
            return LoadError(f"{self.location} is larger than {MOST_COPY_MIB // 1024} GB.", "too_large")
        if code == 127:
            return LoadError(f"{self.location} needs the program git, which is not installed where nod runs.", "no_git")
        for kind, pattern in _WORDS:
            if re.search(pattern, words, re.IGNORECASE):
                return LoadError(f"{self.location} {_SENTENCES[kind]}.", kind)
        lines = [line for line in words.splitlines() if line.strip()]
        return LoadError(
            f"{self.location} cannot be fetched: {redact(lines[-1].strip()) if lines else f'git ended with {code}'}.", "unreachable"
        )

    async def _check_version(self) -> None:
        said = (await self.git("version")).decode("ascii", "replace")
        found = re.search(r"(\d+)\.(\d+)", said)
        if not found or (int(found[1]), int(found[2])) < LEAST_VERSION:
            raise LoadError(f"{self.location} needs git {LEAST_VERSION[0]}.{LEAST_VERSION[1]} or newer; this is {said.strip()}.", "no_git")

    async def _has(self, commit: str) -> bool:
        try:
            await self.git("cat-file", "-e", f"{commit}^{{tree}}")
        except LoadError:
            return False
        return True


class _Dates:
    """When the files of a commit changed last, asked once, when the first file is wanted."""

    def __init__(self, copy: _Copy, commit: str) -> None:
        self._copy, self._commit = copy, commit
        self._found: dict[str, datetime] | None = None
        self._turn = asyncio.Lock()

    async def of(self, path: str) -> datetime | None:
        """Return when a file changed last; None when that is longer ago than the copy remembers."""
        async with self._turn:
            if self._found is None:
                self._found = await self._ask()
        return self._found.get(path)

    async def _ask(self) -> dict[str, datetime]:
        words = ("log", "-z", "--first-parent", "-m", "--no-renames", "--name-only", "--format=%x01%H %ct", self._commit)
        said = (await self._copy.git(*words)).decode("utf-8", "replace")
        ends = _words_in(self._copy.folder / "shallow")  # the oldest commits of the copy, which seem to have made every file
        found: dict[str, datetime] = {}
        for record in said.split("\1")[1:]:
            head, _, paths = record.partition("\0")
            commit, _, seconds = head.partition(" ")
            if commit not in ends:
                for path in paths.lstrip("\n").split("\0"):
                    found.setdefault(path, datetime.fromtimestamp(int(seconds), UTC))
        return found


async def _fetch(copy: _Copy, entry: _Entry, dates: _Dates, commit: str) -> Content:
    if entry.size > MOST_BYTES:
        raise LoadError(f"{entry.path} is larger than {MOST_BYTES // 2**20} MB.", "too_large")
    content = await copy.git("cat-file", "blob", entry.blob)
    if content.startswith(_LFS):
        raise LoadError(f"{entry.path} is kept in Git LFS, from where nod does not fetch.", "in_lfs")
    return Content(content, clean(entry.path), date=await dates.of(entry.path), url=_link(copy.location, commit, entry.path))


def _link(location: str, commit: str, path: str) -> str | None:
    """Return where people see a file as nod read it, on the forges whose form is known."""
    url = httpx.URL(location) if "://" in location else None
    form = _FORGES.get(url.host) if url else None
    if not url or not form:
        return None
    file = httpx.URL("https://x").copy_with(path=f"/{path}").raw_path.decode("ascii").lstrip("/")
    return form.format(path=url.path.strip("/").removesuffix(".git"), commit=commit, file=file)


def _words_in(path: Path) -> Sequence[str]:
    try:
        return path.read_text("ascii").split()
    except OSError:
        return ()
