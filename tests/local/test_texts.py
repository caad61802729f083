"""What the terminal shows: both languages complete, columns straight, the log bounded and clean."""

import ast
import io
import json
import re
import string
import sys
from pathlib import Path

import pytest

from nod.bootstrap import SENTENCES
from nod.install import sentence_from
from nod.logfile import LogFile
from nod.saying import PHRASES
from nod.screen import Screen, padded, width
from tests.local.running import ROOT


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_phrase_is_there_in_both_languages_with_the_same_figures():
    assert PHRASES.keys("en") == PHRASES.keys("ko")
    for key in PHRASES.keys("en"):
        english, korean = (PHRASES._tables[language][key] for language in ("en", "ko"))
        assert fields(english) == fields(korean), key
        assert re.search("[가-힣]", korean) or english == korean, key


def test_every_phrase_that_is_said_exists():
    said: set[str] = set()
    for path in (ROOT / "nod").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("say", "say_count") and node.args:
                key = node.args[0]
                if isinstance(key, ast.Constant):
                    said.add(key.value)
                    if node.func.id == "say_count":
                        said.add(f"{key.value}_one")
    assert len(said) > 40
    assert said <= PHRASES.keys("en")


def test_hangul_takes_two_cells_so_columns_stay_straight():
    assert width("nod 안내서") == 10
    assert [width(padded(label, 19)) for label in ("nod 안내서", "Tables", "워커, 웹 페이지")] == [19, 19, 19]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_step_is_alive_on_a_terminal_and_one_line_elsewhere(monkeypatch, is_terminal):
    monkeypatch.setenv("NOD_LANGUAGE", "en")
    out = Terminal() if is_terminal else io.StringIO()
    screen = Screen(6, out)
    screen.begin(1, "Python packages")
    screen.bar(21, 84)
    screen.done("84 of 84")
    lines = [line.rpartition("\x1b[K")[2] for line in out.getvalue().rstrip("\n").split("\n")]
    assert lines == [" 1/6 Python packages    84 of 84                              0 s"]
    assert ("\r" in out.getvalue()) is is_terminal


def test_a_terminal_that_was_closed_is_no_reason_to_stop():
    out = io.StringIO()
    out.close()
    Screen(6, out).line("hello")


@pytest.mark.parametrize(
    ("said", "language", "why"),
    [
        ("error: Failed to fetch: `https://x/simple/a/`\n Caused by: dns error: failed to lookup address information", "en", "the index's name is not known here"),
        ("WARNING: Retrying ... [Errno -3] Temporary failure in name resolution", "ko", "패키지 서버의 이름을 찾을 수 없어요"),
        ("error: Request failed after 3 retries\n Caused by: tcp connect error: Connection refused (os error 111)", "en", "no route to the index"),
        ("ERROR: Could not find a version that satisfies the requirement uv==1 (from versions: none)", "ko", "패키지 서버에 연결되지 않아요"),
        ("ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407'))", "en", "the proxy refused"),
        ("SSLError: certificate verify failed: unable to get local issuer certificate", "en", "the index's certificate is not trusted here"),
    ],
)  # fmt: skip
def test_why_packages_did_not_arrive_is_one_sentence(monkeypatch, said, language, why):
    monkeypatch.setenv("NOD_LANGUAGE", language)
    sentence = sentence_from(said)
    assert why in sentence
    assert "HTTPS_PROXY" in sentence
    assert "make up" in sentence
    assert "\n" not in sentence


def test_another_failure_shows_the_installers_own_words(monkeypatch):
    monkeypatch.setenv("NOD_LANGUAGE", "en")
    assert sentence_from("Resolved 3\nerror: hash mismatch for numpy\n").endswith("error: hash mismatch for numpy")


def test_an_old_python_can_read_the_first_file():
    ast.parse((ROOT / "nod" / "bootstrap.py").read_text("utf-8"), feature_version=(3, 4))
    ast.parse((ROOT / "nod" / "__init__.py").read_text("utf-8"), feature_version=(3, 4))
    assert SENTENCES.keys() == {"en", "ko"}


# ── the log ──


@pytest.fixture
def log(tmp_path):
    file = LogFile(tmp_path / "log" / "nod.log", most_bytes=2000)
    yield file
    file.close()


def test_the_log_never_grows_beyond_its_bound(log):
    for number in range(500):
        log.write("postgres", f"line {number} " + "x" * 40)
    files = list(log.path.parent.iterdir())
    assert {file.name for file in files} == {"nod.log", "nod.log.1", "nod.log.2"}
    assert all(file.stat().st_size <= 2000 for file in files)
    assert "line 499 " in log.path.read_text()


def test_a_line_longer_than_the_bound_is_still_kept(log):
    log.write("postgres", "x" * 5000)
    log.write("postgres", "next")
    assert "next" in log.path.read_text()
    assert "x" * 5000 in (log.path.parent / "nod.log.1").read_text()


@pytest.mark.parametrize(
    "secret", ["xoxb-1234567890-abcdef", "http://127.0.0.1:8130/in/7Qf3kX", "sk-abcdefgh12345678", "postgresql://nod:hunter2@db/nod"]
)
def test_no_secret_reaches_the_log(log, secret):
    log.write("web", f"refused {secret} 한국어")
    log.write("web", json.dumps({"event": f"refused {secret}"}))
    text = log.path.read_text("utf-8")
    assert secret not in text
    assert "hunter2" not in text
    assert "7Qf3kX" not in text
    assert "한국어" in text
    assert all(json.loads(line) for line in text.splitlines())


def test_plain_lines_become_entries_with_their_role(log):
    log.write("worker-2", "Traceback: something")
    assert json.loads(log.path.read_text()) | {"timestamp": ""} == {"event": "Traceback: something", "role": "worker-2", "timestamp": ""}


def test_the_program_of_this_installation_is_found():
    from nod.program import nod_program

    assert Path(nod_program()) == Path(sys.executable).with_name("nod")
