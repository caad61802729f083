"""`make` on a machine that has nothing of ours: its list, an old Python, no package index, and then the locked packages."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.running import ROOT

TARGETS = ("help", "up", "test", "check", "fmt", "bench", "chaos", "docs", "pictures", "lock")


def make(*words: str, cwd: Path = ROOT, **env: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NOD_", "MAKE", "VIRTUAL_ENV"))}
    return subprocess.run(["make", *words], cwd=cwd, env=clean | env, capture_output=True, text=True, check=False)


def test_bare_make_lists_every_target():
    done = make()
    assert done.returncode == 0
    assert tuple(re.findall(r"^  make (\w+) +\S", done.stdout, re.MULTILINE)) == TARGETS


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "nod needs Python 3.11 or newer; python3 here is 3.9.1."),
        ("ko", "nod에는 Python 3.11 이상이 필요해요. 여기의 python3은 3.9.1예요."),
    ],
)
def test_an_old_python_is_told_what_is_needed(language, words):
    code = "import sys; sys.version_info = (3, 9, 1); from nod import bootstrap; bootstrap.NEWER = (); bootstrap.main()"
    env = {"PATH": "/nowhere", "NOD_LANGUAGE": language, "PYTHONUTF8": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(words)
    assert done.stderr.count("\n") == 1


OLD = sorted(Path.home().glob(".pyenv/versions/3.[6-9]*/bin/python3")) + [
    Path(path) for name in ("python3.9", "python3.10") if (path := shutil.which(name))
]


@pytest.mark.skipif(not OLD, reason="no older Python on this machine to try it with")
def test_a_really_old_python_says_it_too(tmp_path):
    done = (
        make("up", f"PYTHON={OLD[0]}", PATH=f"{tmp_path}:/usr/bin:/bin", NOD_LANGUAGE="en", PYTHONDONTWRITEBYTECODE="1")
        if not shutil.which("python3.11", path="/usr/bin:/bin")
        else None
    )
    if done is None:  # a newer one lies beside it: then that one is taken, and nothing is said
        done = subprocess.run([OLD[0], "-m", "nod.bootstrap"], cwd=ROOT, env={"PATH": str(tmp_path), "NOD_LANGUAGE": "en", "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode != 0
    assert "nod needs Python 3.11 or newer; python3 here is 3." in done.stderr


def pins(name: str) -> set[str]:
    return set(re.findall(r"^[A-Za-z0-9_.-]+==[^\\\n]+", (ROOT / name).read_text("utf-8"), re.MULTILINE))


def test_what_tests_need_holds_what_nod_needs():
    assert len(pins("requirements.lock")) > 80
    assert pins("requirements.lock") <= pins("requirements-dev.lock")


@pytest.fixture
def clone(tmp_path):
    """What make and the bootstrap need, as in a fresh clone."""
    for name in ("Makefile", "pyproject.toml", "README.md", "requirements.lock", "requirements-uv.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "nod", tmp_path / "nod", ignore=shutil.ignore_patterns("__pycache__"))
    for room in ("bot", "workers", "knowledge", "feedback"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("")
    return tmp_path


@pytest.mark.parametrize(("language", "words"), [("en", "Port {port} is used by process {pid} ("), ("ko", "다른 프로세스({pid}, ")])
def test_a_taken_port_is_told_before_packages_are_fetched(clone, language, words):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (clone / ".env").write_text(f"NOD_WEB_PORT={port}\n", "utf-8")
        done = make("up", cwd=clone, NOD_LANGUAGE=language)
    assert done.returncode != 0
    assert words.format(port=port, pid=os.getpid()) in done.stderr
    assert not (clone / ".venv").exists()


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(("language", "words"), [("en", "Packages could not be fetched: "), ("ko", "패키지를 받지 못했어요: ")])
def test_without_a_package_index_it_says_what_to_check_and_goes_on_from_there_next_time(clone, language, words):
    env = {"NOD_LANGUAGE": language, "UV_CACHE_DIR": str(clone / "cache"), "NOD_WEB_PORT": "0"}
    nowhere = {
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
        "PIP_RETRIES": "0",
        "UV_HTTP_RETRIES": "0",
    }
    done = make("up", cwd=clone, **env, **nowhere)
    assert done.returncode != 0
    assert done.stderr.startswith(words)
    assert "HTTPS_PROXY" in done.stderr
    assert "make up" in done.stderr
    assert not list((clone / ".venv").glob(".*.installed"))
    assert (clone / ".venv" / "bin" / "python").exists()  # what arrived is kept
