"""Every room speaks Korean and English: the same phrases with the same placeholders, and the terminal takes its language from `.env` too."""

from pathlib import Path
from string import Formatter

import pytest

from nod.language import Phrases
from tests.warm import run

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(
    path.parent for room in ("nod", "bot", "workers", "knowledge", "feedback") for path in (ROOT / room).rglob("phrases/en.toml")
)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_both_languages_have_the_same_phrases_with_the_same_placeholders(folder):
    phrases = Phrases(folder)
    assert phrases.keys("ko") == phrases.keys("en")
    for key in phrases.keys("en"):
        named = {language: {name for _, name, _, _ in Formatter().parse(phrases.raw(key, language)) if name} for language in ("en", "ko")}
        assert named["en"] == named["ko"], key


@pytest.mark.parametrize(("language", "sentence"), [("en", "No nod is running in .nod/."), ("ko", "돌고 있는 nod가 없어요.")])
def test_a_language_in_dotenv_is_the_terminals(tmp_path, language, sentence):
    (tmp_path / ".env").write_text(f"NOD_LANGUAGE={language}\n", "utf-8")
    env = {"PATH": "/usr/bin:/bin", "LANG": "ko_KR.UTF-8" if language == "en" else "C"}
    done = run(["status"], cwd=tmp_path, env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert sentence in done.stderr


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("en", {"feedback": "PostgreSQL does not answer", "slack": "are not set", "worker": "NOD_SECRET_KEY is not set", "migrate": "does not answer"}),
        ("ko", {"feedback": "PostgreSQL이 응답하지 않아요", "slack": "없어요", "worker": "키 하나를 함께", "migrate": "응답하지 않아요"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["feedback list", "slack", "worker", "migrate"])
def test_what_is_missing_is_said_in_the_readers_language(tmp_path, language, sentences, command):
    room = command.split()[0]
    env = {
        "PATH": "/usr/bin:/bin",
        "NOD_LANGUAGE": language,
        "DATABASE_URL": "postgresql://127.0.0.1:9/x",
        "REDIS_URL": "redis://127.0.0.1:9",
    }
    done = run(command.split(), cwd=tmp_path, env=env)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert sentences[room] in done.stderr
