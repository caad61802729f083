"""A hint names `nod` as it is typed here, and keeps the data folder."""

import re
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from nod.program import nod_program
from nod.saying import say
from tests.nod.test_phrases import FOLDERS, ROOT

NOD = Path(sys.executable).with_name("nod")


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    for name in ("NOD_DATA_DIR", "DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(NOD.parents[2])


@pytest.mark.parametrize(("language", "before"), [("en", "Run: "), ("ko", "실행하세요: ")])
def test_it_is_the_path_from_this_folder_or_the_bare_name_when_that_starts_it(monkeypatch, tmp_path, language, before):
    monkeypatch.setenv("NOD_LANGUAGE", language)
    assert say("migrate.missing", count=2).endswith(f"{before}{NOD.relative_to(Path.cwd())} migrate")
    (tmp_path / "nod").write_text("somebody else's")
    (tmp_path / "nod").chmod(0o755)
    assert say("migrate.missing", count=2).endswith(f"{NOD.relative_to(Path.cwd())} migrate")
    (tmp_path / "nod").unlink()
    (tmp_path / "nod").symlink_to(nod_program())
    assert say("migrate.missing", count=2).endswith(f"{before}nod migrate")
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(tmp_path)
    assert say("migrate.missing", count=2).endswith(f"{before}{NOD} migrate")


def test_the_data_folder_it_was_started_with_is_kept(monkeypatch):
    monkeypatch.setenv("NOD_LANGUAGE", "en")
    monkeypatch.setenv("NOD_DATA_DIR", ".nod 2")
    assert " NOD_DATA_DIR='.nod 2' " in say("migrate.missing", count=2)
    said = say("up.port_in_use", port=8130, pid=1, name="nginx", free=8131)
    assert said.endswith("make up NOD_DATA_DIR='.nod 2' NOD_WEB_PORT=8131")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_no_phrase_names_a_program_that_may_not_be_there(folder):
    """But for what everybody in a channel may read: where nod lies on its server is not for them."""
    commands = "|".join(point.name for point in entry_points(group="nod.commands"))
    bare = re.compile(rf"(?<![\w/])nod ({commands})\b|\.venv/bin/nod|make up(?! NOD_DATA_DIR)")
    for language in ("en", "ko"):
        text = str(
            tomllib.loads((folder / f"{language}.toml").read_text("utf-8")) | ({"error": ""} if folder == ROOT / "bot/phrases" else {})
        )
        assert not (found := bare.search(text)), text[max(found.start() - 60, 0) : found.end() + 40]
