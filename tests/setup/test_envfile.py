"""`.env` keeps what people wrote in it, and is theirs alone."""

import stat

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from nod.envfile import set_values
from nod.errors import ConfigError


def test_a_value_takes_the_place_of_its_old_line_and_comments_stay(tmp_path):
    path = tmp_path / ".env"
    path.write_text("# 우리 팀 설정\nNOD_WEB_PORT=8131   \nexport SLACK_BOT_TOKEN=old\n# DISCORD_TOKEN=\n")
    set_values(path, {"SLACK_BOT_TOKEN": "xoxb-new", "DISCORD_TOKEN": "a.b.c", "NOD_MODEL": "openai:gpt-4o"})
    assert path.read_text().splitlines() == [
        "# 우리 팀 설정", "NOD_WEB_PORT=8131   ", "SLACK_BOT_TOKEN=xoxb-new", "DISCORD_TOKEN=a.b.c", "NOD_MODEL=openai:gpt-4o",
    ]  # fmt: skip


def test_only_its_owner_can_read_it_even_if_others_could_before(tmp_path):
    path = tmp_path / ".env"
    path.write_text("A=1\n")
    path.chmod(0o644)
    set_values(path, {"OPENAI_API_KEY": "sk-1"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_value_of_two_lines_changes_nothing(tmp_path):
    path = tmp_path / ".env"
    path.write_text("A=1\n")
    with pytest.raises(ConfigError, match="line break"):
        set_values(path, {"C": "2", "B": "x\nEVIL=1"})
    assert path.read_text() == "A=1\n"


@given(value=st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=40))
def test_what_was_written_is_read_back(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("env") / ".env"
    set_values(path, {"NAME": value})
    set_values(path, {"NAME": value})
    assert dotenv_values(path) == {"NAME": value}
