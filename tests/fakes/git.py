"""A Git repository with commits at set times, and a forge on loopback that serves it by the real `git upload-pack`."""

import asyncio
import base64
import gzip
import os
import shutil
import subprocess
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

_WHO = {f"GIT_{role}_{what}": word for role in ("AUTHOR", "COMMITTER") for what, word in (("NAME", "n"), ("EMAIL", "n@example.com"))}
_ENVIRONMENT = {**_WHO, "PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": os.devnull}


class FakeRepository:
    """A repository that a test commits to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q", "-b", "main", str(folder), at=folder.parent)
        self.git("config", "uploadpack.allowFilter", "true")
        self.git("config", "uploadpack.allowAnySHA1InWant", "true")

    def git(self, *words: str, at: Path | None = None, **env: str) -> str:
        done = subprocess.run(["git", *words], cwd=at or self.folder, env=_ENVIRONMENT | env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commits(self, day: str, files: Mapping[str, str | bytes | None]) -> str:
        """Commit files (None removes one) at noon of a day; return the commit."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", day, GIT_AUTHOR_DATE=f"{day}T12:00:00Z", GIT_COMMITTER_DATE=f"{day}T12:00:00Z")
        return self.git("rev-parse", "HEAD")


class FakeForge:
    """Serves `/o/wiki.git`; `token` locks it, `moved_to` sends everybody elsewhere."""

    def __init__(self, repository: FakeRepository) -> None:
        self.repository = repository
        self.token = ""
        self.moved_to = ""
        self.address = ""
        self.hosts: set[str] = set()
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.hosts.add(request.host)
        self.asked.append(request.path_qs)
        known = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
        if self.token and request.headers.get("Authorization") != f"Basic {known}":
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="forge"'})
        if self.moved_to:
            raise web.HTTPMovedPermanently(self.moved_to + request.path_qs)
        if not request.path.startswith("/o/wiki.git/"):
            return web.Response(status=404)
        return await self._serve(request)

    async def _serve(self, request: web.Request) -> web.Response:
        is_advertising = request.path.endswith("/info/refs")
        words = ("--advertise-refs",) if is_advertising else ()
        sent = await request.read()
        process = await asyncio.create_subprocess_exec(
            "git", "upload-pack", "--stateless-rpc", *words, str(self.repository.folder), stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, env=_ENVIRONMENT | {"GIT_PROTOCOL": request.headers.get("Git-Protocol", "")},
        )  # fmt: skip
        said, _ = await process.communicate(gzip.decompress(sent) if request.headers.get("Content-Encoding") == "gzip" else sent)
        body = b"001e# service=git-upload-pack\n0000" + said if is_advertising else said
        what = "advertisement" if is_advertising else "result"
        return web.Response(body=body, content_type=f"application/x-git-upload-pack-{what}")


@asynccontextmanager
async def standing(folder: Path) -> AsyncGenerator[FakeForge]:
    """Give a forge with an empty repository."""
    forge = FakeForge(FakeRepository(folder))
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{path:.*}", forge.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    forge.address = f"http://127.0.0.1:{runner.addresses[0][1]}/o/wiki.git"
    try:
        yield forge
    finally:
        await runner.cleanup()


def has_git() -> bool:
    """Whether this machine has git."""
    return shutil.which("git") is not None
