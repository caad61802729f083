"""What `nod up` says when it cannot start (STORYBOARD, section 1). Each figure is changed by changing the world."""

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.local.running import NOD, ROOT, Home, eventually, has_open

LANGUAGES = ("en", "ko")


@contextmanager
def listening():
    with socket.create_server(("127.0.0.1", 0)) as line:
        yield line.getsockname()[1]


def refused(home: Home, language: str, **env: str) -> str:
    before = set(home.processes())
    done = home.run("up", NOD_LANGUAGE=language, **env)
    assert done.returncode == 1, done.stdout
    assert set(home.processes()) == before
    return done.stderr.strip()


# ── the port ──


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_port_in_use_is_named_with_who_has_it_and_the_next_free_one(home, language):
    with listening() as port:
        said = refused(home, language, NOD_WEB_PORT=str(port))
    free = int(said.rpartition("=")[2])  # the next port, unless somebody on this machine has that one, too
    assert free > port
    assert (
        said
        == {
            "en": f"Port {port} is used by process {os.getpid()} (python). Stop it, or: make up NOD_WEB_PORT={free}",
            "ko": f"다른 프로세스({os.getpid()}, python)에서 {port}번 포트를 쓰고 있어요. 그 프로세스를 끝내거나 다른 포트로 켜세요: make up NOD_WEB_PORT={free}",
        }[language]
    )


def test_another_process_has_the_port_and_the_next_one_is_taken_too(home, tmp_path):
    program = tmp_path / "blocker"
    program.symlink_to(sys.executable)
    code = (
        "import socket, sys\n"
        "lines = []\n"
        "for port in range(21000, 60000):\n"
        "    lines = [socket.socket(), socket.socket()]\n"
        "    try:\n"
        "        [line.bind(('127.0.0.1', port + n)) for n, line in enumerate(lines)]; break\n"
        "    except OSError: pass\n"
        "[line.listen() for line in lines]; print(port, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([program, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        port = int(other.stdout.readline())
        said = refused(home, "en", NOD_WEB_PORT=str(port))
        other.stdin.close()
    assert f"Port {port} is used by process {other.pid} (blocker)." in said
    assert int(said.rpartition("=")[2]) >= port + 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("host", "port"), [("0.0.0.0", "8130"), ("192.0.2.7", "8199")])
def test_open_to_a_network_needs_its_address(home, language, host, port):
    said = refused(home, language, NOD_WEB_HOST=host, NOD_WEB_PORT=port)
    assert said.startswith(f"NOD_WEB_HOST={host}")
    assert "NOD_WEB_URL=https://…" in said
    assert said.endswith(f"ssh -L {port}:127.0.0.1:{port} {socket.gethostname()}")
    assert ("needs" in said) == (language == "en")


# ── the folder ──


@contextmanager
def somebody_on(folder: Path):
    """A process that has taken the folder, as a running nod has."""
    code = f"import sys; from pathlib import Path; from nod.folder import DataFolder; DataFolder(Path({str(folder)!r})).take(); print('taken', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as other:
        assert other.stdout.readline() == "taken\n"
        yield other.pid
        other.stdin.close()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("data", "others", "free"), [(".nod", (), ".nod2"), (".team", (".team2", ".team3"), ".team4")])
def test_a_folder_in_use_is_named_with_its_process_and_since_when(home, language, data, others, free):
    for other in others:
        (home.folder / other).mkdir()
    with somebody_on(home.folder / data) as pid:
        since = f"{datetime.now().astimezone():%H:%M}"
        said = refused(home, language, NOD_DATA_DIR=data)
    minute_later = f"{datetime.now().astimezone():%H:%M}"
    expected = {
        "en": "{data}/ is used by another nod (process {pid}, since {since}). Stop it with Ctrl-C there, or: make up NOD_DATA_DIR={free}",
        "ko": "{data}/ 폴더를 다른 nod가 쓰고 있어요 (프로세스 {pid}, {since}부터). 거기서 Ctrl-C로 끝내거나: make up NOD_DATA_DIR={free}",
    }[language]
    assert said in [expected.format(data=data, pid=pid, since=at, free=free) for at in (since, minute_later)]


def test_since_another_day_is_told_with_its_date(home):
    with somebody_on(home.data_dir) as pid:
        yesterday = datetime.now().astimezone() - timedelta(days=1)
        (home.data_dir / "lock").write_text(f"{pid} {yesterday.isoformat()}")
        assert f"since {yesterday:%Y-%m-%d %H:%M}" in refused(home, "en")


def test_a_run_that_is_stopping_is_waited_for(home):
    with somebody_on(home.data_dir) as pid:
        (home.data_dir / "lock").write_text(f"{pid} {datetime.now().astimezone().isoformat()} stopping")
        with subprocess.Popen(
            [NOD, "up"], env=home.environment(NOD_WEB_HOST="0.0.0.0"), cwd=home.folder, stderr=subprocess.PIPE, text=True
        ) as waiting:
            eventually(lambda: has_open(waiting.pid, home.data_dir / "lock"))
            assert waiting.poll() is None
            os.kill(pid, 15)
            assert "NOD_WEB_URL" in waiting.stderr.read()  # it got further


def test_a_folder_that_cannot_be_made_is_said_so(home):
    (home.folder / "file").write_text("")
    said = refused(home, "en", NOD_DATA_DIR="file/nod")
    assert said == "file/nod cannot be used: Not a directory. Choose another: make up NOD_DATA_DIR=FOLDER"


# ── servers ──


def no_redis_says(path: str, language: str) -> str:
    """Ask for Redis where no wheel has one (no site-packages) and the system's programs are these."""
    code = "from nod.binaries import redis_binary\nfrom nod.errors import ConfigError\ntry: print(redis_binary())\nexcept ConfigError as e: print(e)"
    env = {"PATH": path, "PYTHONPATH": str(ROOT), "NOD_LANGUAGE": language, "PYTHONUTF8": "1"}
    return subprocess.run([sys.executable, "-S", "-c", code], env=env, capture_output=True, text=True, check=True).stdout.strip()


def program(folder: Path, name: str, says: str = "") -> None:
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("tool", "command"),
    [("apt-get", "sudo apt-get install redis-server"), ("apk", "sudo apk add valkey"), ("dnf", "sudo dnf install valkey")],
)
def test_without_any_redis_the_command_of_this_system_is_said(tmp_path, language, tool, command):
    program(tmp_path, tool)
    system = f"{os.uname().sysname} {os.uname().machine}"
    assert (
        no_redis_says(str(tmp_path), language)
        == {
            "en": f"No Redis comes as a wheel for {system}. Run: {command}   then: make up",
            "ko": f"{system}용 Redis 휠은 없어요. 먼저: {command}   그다음: make up",
        }[language]
    )


@pytest.mark.parametrize(
    ("name", "says", "is_taken"),
    [
        ("redis-server", "Redis server v=6.2.0 sha=0:0 malloc=libc bits=64", True),
        ("redis-server", "Redis server v=6.0.16 sha=0:0 malloc=libc bits=64", False),
        ("valkey-server", "Valkey server v=8.0.1 sha=0:0 malloc=jemalloc", True),
        ("redis-server", "segmentation fault", False),
    ],
)  # fmt: skip
def test_the_systems_redis_is_taken_when_it_is_new_enough(tmp_path, name, says, is_taken):
    program(tmp_path, name, says)
    assert (f"{tmp_path}/{name}" in no_redis_says(str(tmp_path), "en")) is is_taken


# ── settings ──


@pytest.mark.parametrize(("name", "value"), [("NOD_WEB_PORT", "a lot"), ("NOD_WORKERS", "0")])
def test_a_setting_that_makes_no_sense_is_named(home, name, value):
    said = refused(home, "en", **{name: value})
    assert name in said
    assert repr(value) in said


def test_a_database_of_ones_own_needs_a_key_of_ones_own(home):
    said = refused(home, "en", DATABASE_URL="postgresql://nod@/nod?host=/nowhere", REDIS_URL="redis://127.0.0.1:1/0")
    assert "NOD_SECRET_KEY" in said
    assert not (home.data_dir / "secret").exists()


def test_a_database_that_is_away_ends_the_start_with_its_reason(home):
    env = {"DATABASE_URL": f"postgresql://nod@/nod?host={home.folder}", "REDIS_URL": "redis://127.0.0.1:1/0", "NOD_SECRET_KEY": "k" * 64}
    assert "PostgreSQL (DATABASE_URL)" in refused(home, "en", **env)


def test_nothing_is_told_to_other_commands_after_a_refusal(home):
    with listening() as port:
        refused(home, "en", NOD_WEB_PORT=str(port))
    told = home.data_dir / "run" / "services.json"
    assert not told.exists() or not json.loads(told.read_text())["processes"]


@pytest.mark.parametrize(("language", "words"), [("en", "NOD_LOG_LEVEL is 'loud': "), ("ko", "NOD_LOG_LEVEL 값이 잘못됐어요: 'loud'")])
def test_a_setting_that_means_nothing_is_named(home, language, words):
    assert refused(home, language, NOD_LOG_LEVEL="loud").startswith(words)
