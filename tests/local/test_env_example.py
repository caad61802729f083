"""`.env.example` lists every setting, each with one line that explains it and with what holds without it."""

import re

import pytest
from pydantic_core import PydanticUndefined

from nod.settings import Settings
from tests.local.running import ROOT

LINES = (ROOT / ".env.example").read_text("utf-8").splitlines()
LISTED = {found[1]: (number, found[2]) for number, line in enumerate(LINES) if (found := re.fullmatch(r"# ([A-Z_]+)=(.*)", line))}
FIELDS = {str(field.validation_alias): field for field in Settings.model_fields.values()}


def test_it_lists_every_setting_and_no_other():
    assert set(LISTED) == set(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_each_setting_is_explained_and_shows_what_holds_without_it(name):
    number, shown = LISTED[name]
    assert re.match(r"# [A-Z]", LINES[number - 1])
    assert not re.match(r"# [A-Z_]+=", LINES[number - 1]), "its own line of explanation"
    default = FIELDS[name].default
    assert default is not PydanticUndefined
    expected = (
        ",".join(default)
        if isinstance(default, tuple)
        else ""
        if default is None or default == {}
        else str(default).lower()
        if isinstance(default, bool)
        else str(default)
    )
    assert shown == expected


def test_copied_as_it_is_it_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in FIELDS:
        monkeypatch.delenv(name, raising=False)
    without = Settings()
    (tmp_path / ".env").write_text("\n".join(line.removeprefix("# ") if re.match(r"# [A-Z_]+=", line) else line for line in LINES))
    assert Settings() == without
