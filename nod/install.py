"""Python packages in .venv, exactly the locked ones: what `make up` and `make test` do before anything else. Standard library only.

A stamp per lock makes the next time cost nothing. What arrived before a network failed stays in uv's cache.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from nod import __version__
from nod.address import free_port
from nod.errors import ConfigError
from nod.saying import say
from nod.screen import Screen

ROOT = Path(__file__).parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"

# What pip and uv say when the index cannot be reached, in the order of how much it tells.
_NETWORK = (
    (r"name resolution|not known|nodename nor servname|dns error|failed to lookup", "install.no_name"),
    (r"proxy", "install.no_proxy"),
    (r"certificate|CERTIFICATE_VERIFY", "install.no_trust"),
    (r"refused|unreachable|error sending request|Failed to fetch|Request failed|timed out|NewConnection|tcp connect|from versions: none",
     "install.no_route"),
)  # fmt: skip


class InstallError(Exception):
    """Packages that could not be installed; the text is for people."""


def main(words: Sequence[str]) -> int:
    """Install what is missing: `[--dev] [COMMAND…]`; then become that command of nod. Return an exit code."""
    began_at = time.time()
    os.environ.setdefault("NOD_LANGUAGE", _from_dotenv("NOD_LANGUAGE"))
    is_dev = "--dev" in words
    command = [word for word in words if word != "--dev"]
    screen = Screen(6)
    try:
        lock = ROOT / ("requirements-dev.lock" if is_dev else "requirements.lock")
        if not (_is_installed(lock) or _is_installed(ROOT / "requirements-dev.lock")):  # which holds the other one (a test compares)
            if command == ["up"]:
                screen.line(_header())
                _check_port()
                os.environ["NOD_HEADER_SHOWN"] = "1"
            _install(lock, screen, is_step=command == ["up"])
    except (InstallError, ConfigError) as error:
        screen.give_up()
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        screen.give_up()
        return 130
    if command:
        os.environ["NOD_BEGAN_AT"] = str(began_at)
        os.execv(VENV / "bin" / "nod", ["nod", *command])  # noqa: S606  # the same process: signals reach it
    return 0


def _header() -> str:
    data = _setting("NOD_DATA_DIR", ".nod")
    return say("up.header", version=__version__, data=f"{Path(data)}/", log=Path(data) / "log" / "nod.log")


def _check_port() -> None:
    """Say before the long step what `nod up` would say after it. Raises ConfigError when the page's port is taken."""
    port = _setting("NOD_WEB_PORT", "8130")
    if port.isdecimal() and int(port) < 65536:  # else the settings say what is wrong with it
        free_port(_setting("NOD_WEB_HOST", "127.0.0.1"), int(port))


def _setting(name: str, otherwise: str) -> str:
    return os.environ.get(name) or _from_dotenv(name) or otherwise


def _from_dotenv(name: str) -> str:
    try:
        found = re.search(rf"^\s*(?:export\s+)?{name}\s*=\s*[\"']?([^\"'\n#]*)", (ROOT / ".env").read_text("utf-8"), re.MULTILINE)
    except OSError:
        return ""
    return found[1].strip() if found else ""


# ── what is there already ──


def _stamp(lock: Path) -> Path:
    return VENV / f".{lock.name}.installed"


def _state(lock: Path) -> str:
    """Return what an installation depends on: the lock, our own commands, the Python, where the folder lies."""
    made_of = (
        (lock.read_bytes() if lock.exists() else b"") + (ROOT / "pyproject.toml").read_bytes() + f"{sys.version_info[:2]} {ROOT}".encode()
    )
    return hashlib.sha256(made_of).hexdigest()


def _is_installed(lock: Path) -> bool:
    try:
        return _stamp(lock).read_text("ascii") == _state(lock) and PYTHON.exists() and (VENV / "bin" / "nod").exists()
    except OSError:
        return False


# ── installing ──


def _install(lock: Path, screen: Screen, *, is_step: bool) -> None:
    screen.begin(1 if is_step else 0, say("install.step"))
    _make_venv(screen)
    if not UV.exists():
        words = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        _run([*words, "-r", str(ROOT / "requirements-uv.lock")], screen.tick)
    wanted = _wanted(lock)
    have = _Arrived(wanted)
    env = _uv_environment()
    words = [str(UV), "pip", "install", "--no-progress", "--require-hashes", "-r", str(lock)]
    _run(words, lambda: screen.bar(have.count(), len(wanted)), env)
    _run(
        [str(UV), "pip", "install", "--no-progress", "--no-deps", "--editable", str(ROOT)],
        lambda: screen.bar(len(wanted), len(wanted)),
        env,
    )
    _stamp(lock).write_text(_state(lock), "ascii")
    screen.done(f"{'█' * 20} {say('up.of', count=have.count(), all=len(wanted))}")


def _make_venv(screen: Screen) -> None:
    is_whole = PYTHON.exists() and subprocess.run([PYTHON, "-c", "import pip"], capture_output=True, check=False).returncode == 0
    if not is_whole:
        try:
            _run([sys.executable, "-m", "venv", "--clear", str(VENV)], screen.tick)
        except InstallError:
            command = "sudo apt-get install python3-venv" if Path("/usr/bin/apt-get").exists() else "python3 -m ensurepip"
            raise InstallError(say("install.no_venv", command=command)) from None


def _wanted(lock: Path) -> dict[str, str]:
    """Return the packages of a lock that this machine needs, with their versions."""
    ask = (
        "import sys\n"
        "from pip._vendor.packaging.requirements import Requirement\n"
        "for line in sys.stdin:\n"
        "    wish = Requirement(line.rstrip(' \\\\\\n'))\n"
        "    if wish.marker is None or wish.marker.evaluate():\n"
        "        print(wish.name, str(wish.specifier).lstrip('='))\n"
    )
    lines = "".join(f"{line}\n" for line in lock.read_text("utf-8").splitlines() if re.match(r"[A-Za-z0-9]", line))
    told = subprocess.run([PYTHON, "-c", ask], input=lines, capture_output=True, text=True, check=True)
    return dict(line.split(" ", 1) for line in told.stdout.splitlines())


class _Arrived:
    """How many packages are here: in uv's cache, or installed before."""

    def __init__(self, wanted: dict[str, str]) -> None:
        told = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=False).stdout.strip()
        self._cache = Path(told) if told else None
        self._missing = dict(wanted)
        self._all = len(wanted)
        self._site = next((VENV / "lib").glob("python3*/site-packages"), VENV)

    def count(self) -> int:
        """Return how many there are by now."""
        for name, version in list(self._missing.items()):
            if self._is_here(name, version):
                del self._missing[name]
        return self._all - len(self._missing)

    def _is_here(self, name: str, version: str) -> bool:
        if (self._site / f"{name.replace('-', '_')}-{version}.dist-info").exists():
            return True
        return self._cache is not None and any(path.is_symlink() for path in self._cache.glob(f"wheels-v*/*/{name}/{version}-*"))


def _uv_environment() -> dict[str, str]:
    """Return the environment for uv: it reads no pip.conf, so an index that pip is told to use is handed on."""
    env = {**os.environ, "VIRTUAL_ENV": str(VENV), "UV_PYTHON_DOWNLOADS": "never"}
    if not any(name in env for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL")):
        told = subprocess.run([PYTHON, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True, check=False)
        index = env.get("PIP_INDEX_URL") or (told.stdout.strip() if told.returncode == 0 else "")
        if index:
            env["UV_DEFAULT_INDEX"] = index
    return env


def _run(words: Sequence[str], tick: Callable[[], None], env: dict[str, str] | None = None) -> None:
    """Run a command, showing that it goes on. Raises InstallError with what it means for people."""
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=env)
        try:
            while child.poll() is None:
                tick()
                time.sleep(0.1)
        except BaseException:
            child.terminate()
            child.wait()
            raise
        if child.returncode:
            said.seek(0)
            raise InstallError(sentence_from(said.read().decode("utf-8", "replace")))


def sentence_from(said: str) -> str:
    """Return what an installer's errors mean: the network, or else its own last lines."""
    for pattern, key in _NETWORK:
        if re.search(pattern, said, re.IGNORECASE):
            return say("install.no_network", why=say(key))
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return say("install.failed", why="\n".join(lines[-5:]))
