"""`nod setup` and `nod doctor`, typed as a person would type, against the far side of the network."""

import json
import os
import pty
import select
import time
from pathlib import Path

import pytest

from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import KEY, FakeModel
from tests.fakes.slack import FakeSlack
from tests.roles import Roles, until
from tests.warm import NOD, Warm, run

CTRL_C = "\x03"


@pytest.fixture(scope="module")
def slack():
    with FakeSlack() as slack:
        yield slack


@pytest.fixture(scope="module")
def discord():
    with FakeDiscord() as discord:
        yield discord


@pytest.fixture
def runs(process_env, tmp_path):
    """Run a command of nod in a folder of its own, without a terminal; return what it said and how it ended."""

    def runs(*words: str, **env: str) -> tuple[str, int]:
        done = run(words, env=process_env | env, cwd=tmp_path)
        return done.stdout + done.stderr, done.returncode

    return runs


@pytest.fixture
def types(process_env, tmp_path):
    """Run a command of nod in a terminal, typing a line whenever it asks, and Ctrl-C when none is left; as `runs` does."""

    def types(*words: str, lines: tuple[str, ...] = (), **env: str) -> tuple[str, int]:
        person, terminal = pty.openpty()
        place = Path(os.ttyname(terminal))
        child = Warm(words, env=process_env | env, cwd=tmp_path, out=place, text_in=place)
        said, rest, deadline = b"", [line.encode() if line == CTRL_C else f"{line}\n".encode() for line in lines], time.monotonic() + 60
        typed, at = b"", 0.0
        while (is_ready := select.select([person], [], [], 0.02)[0]) or child.poll() is None:
            assert time.monotonic() < deadline, said.decode()
            if is_ready:
                said += os.read(person, 65536)
                if said.endswith(b": "):
                    typed, at = rest.pop(0) if rest else CTRL_C.encode(), time.monotonic()
                    os.write(person, typed)
            elif (
                typed == CTRL_C.encode() and time.monotonic() > at + 1
            ):  # one that comes just before `input` reads is lost, as for a person
                at = time.monotonic()
                os.write(person, typed)
        os.close(person)
        os.close(terminal)
        return said.decode().replace("\r\n", "\n"), child.wait()

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
    said, ended = types("setup", "slack", lines=("xoxb-revoked-1234",), SLACK_API_URL=slack.url)
    assert "token_revoked" in said
    assert "✓" not in said
    assert (ended, (tmp_path / ".env").exists()) == (130, False)


@pytest.mark.parametrize(("language", "question", "answer"), [("en", "Save what was answered so far", ""), ("ko", "저장할까요", "y")])
def test_who_breaks_off_says_whether_what_worked_is_written(slack, types, tmp_path, language, question, answer):
    slack.reset()
    typed = (slack.bot_token, CTRL_C, answer)
    said, ended = types("setup", "slack", lines=typed, SLACK_API_URL=slack.url, NOD_LANGUAGE=language)
    assert f"{question}" in said
    assert "SLACK_BOT_TOKEN)" in said
    assert ended == 130
    assert (tmp_path / ".env").exists() == (answer == "y")


@pytest.mark.parametrize(("language", "sentence"), [("en", "here is no terminal to answer in."), ("ko", "대답할 터미널이 없어요.")])
def test_without_a_terminal_it_says_what_is_needed(runs, language, sentence):
    said, ended = runs("setup", "slack", NOD_LANGUAGE=language)
    assert (ended, said.count("\n")) == (2, 1), said
    assert sentence in said
    assert "SLACK_BOT_TOKEN, SLACK_APP_TOKEN" in said


@pytest.mark.parametrize(
    ("language", "asked"),
    [
        ("en", ["Connect a language model now?", "Connect Slack now?", "Connect Discord now?"]),
        ("ko", ["지금 언어 모델을 연결할까요?", "지금 슬랙을 연결할까요?", "지금 디스코드를 연결할까요?"]),
    ],
)
def test_it_asks_for_one_after_the_other_in_the_order_of_the_readme(types, tmp_path, language, asked):
    said, ended = types("setup", lines=("n", "n", "n"), NOD_LANGUAGE=language)
    assert [line.partition("?")[0] + "?" for line in said.splitlines()] == asked
    assert (ended, (tmp_path / ".env").exists()) == (0, False)


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


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "Nobody answers at http://127.0.0.1:9/v1."), ("ko", "http://127.0.0.1:9/v1에서 아무도 응답하지")]
)
def test_an_address_at_which_nobody_answers_is_asked_for_again(types, tmp_path, language, sentence):
    (tmp_path / ".env").write_text("OPENAI_BASE_URL=http://127.0.0.1:9/v1\n")
    with FakeModel() as agent:
        said, ended = types("setup", "model", lines=("", agent.url, KEY), NOD_LANGUAGE=language)
    assert said.count("✗") == 1
    assert sentence in said
    assert ended == 130
    assert (tmp_path / ".env").read_text() == "OPENAI_BASE_URL=http://127.0.0.1:9/v1\n"  # nothing before the last step has passed


def test_the_models_of_a_compatible_server_are_offered(types, tmp_path):
    with FakeModel() as agent:
        agent.will_say("OK")
        said, ended = types("setup", "model", lines=(agent.url, KEY, ""), NOD_MODEL="openai:not-there")
    assert ended == 0, said
    assert "To choose from: openai:gpt-4.1, openai:gpt-4.1-mini, openai:gpt-4o" in said
    assert "NOD_MODEL [openai:gpt-4.1]: " in said
    assert env_file(tmp_path).endswith("NOD_MODEL=openai:gpt-4.1\n")


@pytest.mark.parametrize(("language", "sentence"), [("en", "The key was refused (401)"), ("ko", "키가 거절됐어요(401)")])
def test_a_refused_key_is_asked_for_again_and_replaced(types, tmp_path, language, sentence):
    with FakeModel() as agent:
        agent.will_say("OK")
        (tmp_path / ".env").write_text(f"OPENAI_BASE_URL={agent.url}\nOPENAI_API_KEY=old-000000000000\n")
        said, ended = types("setup", "model", lines=("", "wrong-1111111111", KEY, "openai:gpt-4o"), NOD_LANGUAGE=language)
        assert ended == 0, said
        assert said.count(sentence) == 2  # the one that stood there, and the one that was typed
        assert env_file(tmp_path) == f"OPENAI_BASE_URL={agent.url}\nOPENAI_API_KEY={KEY}\nNOD_MODEL=openai:gpt-4o\n"


def test_doctor_names_missing_permissions_and_the_click_to_make(slack, runs):
    slack.reset()
    slack.scopes(["app_mentions:read", "chat:write", "users:read"])
    said, ended = runs("doctor", "--json", SLACK_API_URL=slack.url, SLACK_BOT_TOKEN=slack.bot_token, SLACK_APP_TOKEN=slack.app_token)
    [row] = [check for check in json.loads(said)["checks"] if check["name"] == "slack"]
    assert (ended, row["state"]) == (1, "broken")
    assert "reactions:read" in row["sentence"]
    assert "chat:write," not in row["sentence"]
    assert row["todo"].startswith("open https://api.slack.com/apps/A")


@pytest.fixture
def worker(process_env, tmp_path, runs):
    """A living worker, as `nod up` starts one."""
    roles = Roles(process_env, tmp_path)
    try:
        worker = roles.start("worker")
        until(lambda: runs("status")[1] == 0, 30, "a worker that lives", roles.logs)
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
def test_doctor_says_whether_somebody_is_there_to_answer(runs, worker, language, missing, well):
    said, _ = runs("doctor", "--json", NOD_LANGUAGE=language)
    assert servers_row(said)["state"] == "ok"
    assert well in servers_row(said)["sentence"]
    worker.stop()
    said, ended = runs("doctor", "--json", NOD_LANGUAGE=language)
    assert (ended, servers_row(said)["state"], servers_row(said)["todo"]) == (1, "broken", f"{NOD} status")
    assert missing in servers_row(said)["sentence"]


def test_doctor_says_which_server_is_away(runs):
    said, ended = runs("doctor", "--json", REDIS_URL="redis://127.0.0.1:9/0", NOD_LANGUAGE="en")
    assert (ended, servers_row(said)["state"]) == (1, "broken")
    assert servers_row(said)["sentence"].startswith("Redis: does not answer")


@pytest.mark.parametrize(
    ("language", "shown"),
    [("en", "no nod is running in .nod/.   → make up"), ("ko", ".nod/에서 돌고 있는 nod가 없어요.   → make up")],
)
def test_doctor_says_that_no_nod_runs_here(tmp_path, language, shown):
    env = {"PATH": os.environ["PATH"], "NOD_LANGUAGE": language}
    done = run(["doctor"], env=env, cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, f" ✗ servers     {shown}"), done.stderr


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (
            "en",
            "{} in .env is no setting (is {} meant?); {} in .env is no setting (is {} meant?); {} in .env is no setting",
        ),
        (
            "ko",
            ".env의 {}: 그런 설정은 없어요({}인가요?); .env의 {}: 그런 설정은 없어요({}인가요?); .env의 {}: 그런 설정은 없어요",
        ),
    ],
)
def test_doctor_names_settings_that_do_not_exist_and_what_was_probably_meant(runs, tmp_path, language, sentence):
    others = "nod_web_port=8131\nANTHROPIC_API_KEY=x\nPOSTGRES_PASSWORD=x\nTZ=Asia/Seoul\n"
    (tmp_path / ".env").write_text(f"NOD_WEB_PORTT=9000\n{others}OPENAI_API_KY=x\nSLACK_COLOUR=red\n")
    said, ended = runs("doctor", "--json", NOD_LANGUAGE=language)
    [row] = [check for check in json.loads(said)["checks"] if check["name"] == "settings"]
    assert (ended, row["state"], row["sentence"]) == (
        1, "broken", sentence.format("NOD_WEB_PORTT", "NOD_WEB_PORT", "OPENAI_API_KY", "OPENAI_API_KEY", "SLACK_COLOUR"),
    )  # fmt: skip
    (tmp_path / ".env").write_text(others)
    assert "settings" not in {check["name"] for check in json.loads(runs("doctor", "--json")[0])["checks"]}


def test_doctor_is_content_with_what_works(slack, discord, runs, worker):
    slack.reset()
    discord.reset()
    with FakeModel() as agent:
        agent.will_say("OK")
        said, ended = runs(
            "doctor", "--json", SLACK_API_URL=slack.url, SLACK_BOT_TOKEN=slack.bot_token, SLACK_APP_TOKEN=slack.app_token,
            DISCORD_API_URL=discord.url, DISCORD_TOKEN=discord.token, **agent.env,
        )  # fmt: skip
    assert (ended, {check["name"]: check["state"] for check in json.loads(said)["checks"]}) == (
        0, {"servers": "ok", "search": "off", "model": "ok", "slack": "ok", "discord": "ok"},
    ), said  # fmt: skip


@pytest.mark.parametrize(("language", "sentence"), [("en", "The key was refused (401)"), ("ko", "키가 거절됐어요(401)")])
def test_doctor_says_what_is_wrong_with_a_key(runs, language, sentence):
    with FakeModel() as agent:
        agent.will_fail("401")
        said, ended = runs("doctor", NOD_LANGUAGE=language, **agent.env)
    assert ended == 1
    assert sentence in said


def test_doctor_says_when_nobody_is_there(runs):
    said, ended = runs("doctor", DISCORD_API_URL="http://127.0.0.1:9/api/v10", DISCORD_TOKEN="a.b.c")
    assert ended == 1
    assert "Discord could not be reached" in said
    assert "Traceback" not in said
