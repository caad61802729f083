"""`nod setup` and `nod doctor`, typed as a person would type, against the far side of the network."""

import json
import os

import pytest

from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import KEY, FakeModel
from tests.fakes.slack import FakeSlack
from tests.roles import Roles, until
from tests.warm import NOD, run


@pytest.fixture(scope="module")
def slack():
    with FakeSlack() as slack:
        yield slack


@pytest.fixture(scope="module")
def discord():
    with FakeDiscord() as discord:
        yield discord


@pytest.fixture
def types(process_env, tmp_path):
    """Run a command of nod in a folder of its own, typing these lines; return what it said and how it ended."""

    def types(*words: str, lines: tuple[str, ...] = (), **env: str) -> tuple[str, int]:
        done = run(words, text_in="".join(f"{line}\n" for line in lines), env=process_env | env, cwd=tmp_path)
        return done.stdout + done.stderr, done.returncode

    return types


def env_file(tmp_path):
    return (tmp_path / ".env").read_text("utf-8")


@pytest.mark.parametrize(
    ("language", "wrong", "right"),
    [("en", "That is a user token (xoxp-).", "events arrive"), ("ko", "사용자 토큰(xoxp-)이에요.", "이벤트가 도착해요")],
)
def test_slack_is_connected_step_by_step_and_a_wrong_paste_is_named(slack, types, tmp_path, language, wrong, right):
    slack.reset()
    slack.channel("C1", name="help-it")
    said, ended = types(
        "setup", "slack", lines=("xoxp-12345678", slack.bot_token, slack.app_token), SLACK_API_URL=slack.url, NOD_LANGUAGE=language
    )
    assert ended == 0, said
    assert "https://api.slack.com/apps?new_app=1&manifest_json=" in said
    assert wrong in said
    assert right in said
    assert "#help-it" in said
    assert env_file(tmp_path) == f"SLACK_BOT_TOKEN={slack.bot_token}\nSLACK_APP_TOKEN={slack.app_token}\n"
    assert slack.bot_token not in said
    assert slack.app_token not in said


def test_setup_goes_on_where_it_was_left(slack, types, tmp_path):
    slack.reset()
    slack.channel("C1", name="help-it")
    (tmp_path / ".env").write_text(f"# mine\nSLACK_BOT_TOKEN={slack.bot_token}\n")
    said, ended = types("setup", "slack", lines=(slack.app_token,), SLACK_API_URL=slack.url)
    assert ended == 0, said
    assert "manifest_json" not in said
    assert env_file(tmp_path) == f"# mine\nSLACK_BOT_TOKEN={slack.bot_token}\nSLACK_APP_TOKEN={slack.app_token}\n"


def test_a_refused_token_is_not_written(slack, types, tmp_path):
    slack.reset()
    slack.refuses("xoxb-revoked-1234", "token_revoked")
    said, _ = types("setup", "slack", lines=("xoxb-revoked-1234",), SLACK_API_URL=slack.url)
    assert "token_revoked" in said
    assert not (tmp_path / ".env").exists()


def test_discord_is_connected_step_by_step(discord, types, tmp_path):
    discord.reset()
    said, ended = types("setup", "discord", lines=("not-a-token", discord.token), DISCORD_API_URL=discord.url)
    assert ended == 0, said
    assert "three parts with dots" in said
    assert "https://discord.com/oauth2/authorize?client_id=" in said
    assert env_file(tmp_path) == f"DISCORD_TOKEN={discord.token}\n"
    assert discord.token not in said


def test_a_model_is_connected_by_a_real_call(types, tmp_path):
    with FakeModel() as agent:
        agent.will_say("OK")
        said, ended = types("setup", "model", lines=(agent.url, "no key", KEY, "gpt-4o", "openai:nope", "openai:gpt-4o"))
        assert ended == 0, said
        assert "names no provider" in said
        assert "no model called openai:nope" in said
        assert "openai:gpt-4o, answered in" in said
        assert env_file(tmp_path) == f"OPENAI_BASE_URL={agent.url}\nOPENAI_API_KEY={KEY}\nNOD_MODEL=openai:gpt-4o\n"
        assert KEY not in said


@pytest.mark.parametrize(("language", "sentence"), [("en", "The key was refused (401)"), ("ko", "키가 거절됐어요(401)")])
def test_a_refused_key_is_asked_for_again_and_replaced(types, tmp_path, language, sentence):
    with FakeModel() as agent:
        agent.will_say("OK")
        (tmp_path / ".env").write_text(f"OPENAI_BASE_URL={agent.url}\nOPENAI_API_KEY=old-000000000000\n")
        said, ended = types("setup", "model", lines=("", "wrong-1111111111", KEY, "openai:gpt-4o"), NOD_LANGUAGE=language)
        assert ended == 0, said
        assert said.count(sentence) == 2  # the one that stood there, and the one that was typed
        assert env_file(tmp_path) == f"OPENAI_BASE_URL={agent.url}\nOPENAI_API_KEY={KEY}\nNOD_MODEL=openai:gpt-4o\n"


def test_doctor_names_missing_permissions_and_the_click_to_make(slack, types):
    slack.reset()
    slack.scopes(["app_mentions:read", "chat:write", "users:read"])
    said, ended = types("doctor", "--json", SLACK_API_URL=slack.url, SLACK_BOT_TOKEN=slack.bot_token, SLACK_APP_TOKEN=slack.app_token)
    [row] = [check for check in json.loads(said)["checks"] if check["name"] == "slack"]
    assert (ended, row["state"]) == (1, "broken")
    assert "reactions:read" in row["sentence"]
    assert "chat:write," not in row["sentence"]
    assert row["todo"].startswith("open https://api.slack.com/apps/A")


@pytest.fixture
def worker(process_env, tmp_path, types):
    """A living worker, as `nod up` starts one."""
    roles = Roles(process_env, tmp_path)
    try:
        worker = roles.start("worker")
        until(lambda: types("status")[1] == 0, 30, "a worker that lives", roles.logs)
        yield worker
    finally:
        roles.stop()


def servers_row(said):
    [row] = [check for check in json.loads(said)["checks"] if check["name"] == "servers"]
    return row


@pytest.mark.parametrize(
    ("language", "missing", "well"),
    [("en", "no worker is alive", "PostgreSQL, Redis and a worker are there."), ("ko", "살아 있는 워커가 없어요", "모두 준비돼 있어요")],
)
def test_doctor_says_whether_somebody_is_there_to_answer(types, worker, language, missing, well):
    said, _ = types("doctor", "--json", NOD_LANGUAGE=language)
    assert servers_row(said)["state"] == "ok"
    assert well in servers_row(said)["sentence"]
    worker.stop()
    said, ended = types("doctor", "--json", NOD_LANGUAGE=language)
    assert (ended, servers_row(said)["state"], servers_row(said)["todo"]) == (1, "broken", f"{NOD} status")
    assert missing in servers_row(said)["sentence"]


def test_doctor_says_which_server_is_away(types):
    said, ended = types("doctor", "--json", REDIS_URL="redis://127.0.0.1:9/0", NOD_LANGUAGE="en")
    assert (ended, servers_row(said)["state"]) == (1, "broken")
    assert servers_row(said)["sentence"].startswith("Redis: does not answer")


def test_doctor_is_not_alarmed_when_no_nod_runs_here(tmp_path):
    env = {"PATH": os.environ["PATH"], "NOD_LANGUAGE": "en"}
    done = run(["doctor", "--json"], env=env, cwd=tmp_path)
    assert (done.returncode, servers_row(done.stdout)["state"], servers_row(done.stdout)["todo"]) == (0, "off", "make up"), done.stderr


def test_doctor_is_content_with_what_works(slack, discord, types, worker):
    slack.reset()
    discord.reset()
    with FakeModel() as agent:
        agent.will_say("OK")
        said, ended = types(
            "doctor", "--json", SLACK_API_URL=slack.url, SLACK_BOT_TOKEN=slack.bot_token, SLACK_APP_TOKEN=slack.app_token,
            DISCORD_API_URL=discord.url, DISCORD_TOKEN=discord.token, **agent.env,
        )  # fmt: skip
    assert (ended, {check["name"]: check["state"] for check in json.loads(said)["checks"]}) == (
        0, {"servers": "ok", "search": "off", "model": "ok", "slack": "ok", "discord": "ok"},
    ), said  # fmt: skip


@pytest.mark.parametrize(("language", "sentence"), [("en", "The key was refused (401)"), ("ko", "키가 거절됐어요(401)")])
def test_doctor_says_what_is_wrong_with_a_key(types, language, sentence):
    with FakeModel() as agent:
        agent.will_fail("401")
        said, ended = types("doctor", NOD_LANGUAGE=language, **agent.env)
    assert ended == 1
    assert sentence in said


def test_doctor_says_when_nobody_is_there(types):
    said, ended = types("doctor", DISCORD_API_URL="http://127.0.0.1:9/api/v10", DISCORD_TOKEN="a.b.c")
    assert ended == 1
    assert "Discord could not be reached" in said
    assert "Traceback" not in said
