"""`nod up` with its real process tree: the transcripts of STORYBOARD, section 1, and what survives being killed."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack
from tests.local.running import NOD, ROOT, Home, Up, eventually
from tests.servers import locked

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SIGNED_IN = {"en": "you are still signed in", "ko": "아직 로그인되어 있어요"}
NOTHING_LEFT = {"en": "Nothing is left running.", "ko": "남은 프로세스는 없어요."}


@pytest.fixture
def new_home(tmp_path: Path) -> Home:
    """A folder in which nod was never up."""
    return Home(tmp_path)


@pytest.fixture(scope="session")
def data_of_before(run_folder: Path) -> Path:
    """The data of a nod that was up once and knows its handbook; made once per run, whatever number of processes wants it."""
    data = run_folder / "before" / ".nod"
    with locked(run_folder / "making-before"):
        if not (data / "secret").exists():
            data.parent.mkdir()
            with Home(data.parent).up() as up:
                up.is_up().interrupt()
    return data


@pytest.fixture
def home(tmp_path: Path, data_of_before: Path) -> Home:
    """A folder in which nod was up before."""
    shutil.copytree(data_of_before, tmp_path / ".nod")
    return Home(tmp_path)


def services(home: Home) -> dict:
    return json.loads((home.data_dir / "run" / "services.json").read_text())


def ask_database(home: Home, sql: str):
    with psycopg.connect(services(home)["database_url"]) as db:
        return db.execute(sql).fetchone()


def counts(home: Home) -> dict[str, int]:
    names = ("questions", "documents", "passages", "votes")
    return dict(zip(names, ask_database(home, f"SELECT {', '.join(f'(SELECT count(*) FROM {name})' for name in names)}"), strict=True))


def link_in(up: Up) -> str:
    return re.search(r"http://\S+/in/\S+", up.said)[0]


def call(url: str, method: str = "GET") -> http.client.HTTPResponse:
    where = urlsplit(url)
    line = http.client.HTTPConnection(where.hostname, where.port, timeout=10)
    with contextlib.closing(line):
        line.request(method, where.path, headers={"Origin": f"{where.scheme}://{where.netloc}"})
        answer = line.getresponse()
        answer.read()
        return answer


def ask(home: Home, text: str, **env: str) -> dict:
    done = home.run("ask", "--json", text, **env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def nothing_is_left(home: Home) -> None:
    assert home.processes() == {}
    assert not (home.data_dir / "run" / "services.json").exists()
    assert not list((home.data_dir / "run").glob("*.sock"))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_first_start_then_second_start(new_home, language):
    home = new_home
    home.env["NOD_LANGUAGE"] = language
    with home.up() as up:
        up.is_up()
        have = counts(home)
        text = up.said
        assert have["documents"] > 10
        one = {"en": "new database", "ko": "새 데이터베이스"}
        assert re.search(rf" 2/6 PostgreSQL 18 +{one[language]}", text)
        assert re.search(r" 3/6 Redis ", text)
        handbook = {"en": "{documents} documents, {passages} passages", "ko": "문서 {documents}개, 구절 {passages}개"}
        assert handbook[language].format(**have) in text
        assert re.search(
            {
                "en": r"nod is up \(\d+ s\)\. Sign in, once, within 15 minutes:   http://",
                "ko": r"nod가 떴어요 \(\d+초\)\. 15분 안에 한 번 쓸 수 있는 로그인 주소예요:   http://",
            }[language],
            text,
        )
        for what in ("model", "slack", "discord"):
            assert re.search(rf"^ – .* → {re.escape(str(NOD))} setup {what}", text, re.MULTILINE)
        assert re.search(rf"^ – .* → {re.escape(str(NOD))} ingest (FOLDER|폴더)", text, re.MULTILINE)

        link = link_in(up)
        assert call(link).status == 200  # a preview does not use it up
        assert call(link, "POST").status == 303
        assert call(link, "POST").status == 410  # once
        example = re.search(r'nod ask "([^"]+)"', text)[1]  # what is printed works as printed
        answer = ask(home, example)
        assert answer["status"] == "answered"
        assert answer["sources"]
        assert up.interrupt() == 0
        assert up.said.rstrip().endswith(NOTHING_LEFT[language])
    nothing_is_left(home)
    token = link.rpartition("/")[2]
    assert token not in home.log()

    with home.up() as up:
        up.is_up()
        kept = {
            "en": f"Kept: 1 question, 0 votes, {have['documents']} documents.",
            "ko": f"그대로 있어요: 질문 1개, 표 0개, 문서 {have['documents']}개.",
        }
        line = up.says(kept[language])
        assert line.endswith(SIGNED_IN[language])
        assert services(home)["web"] in line
        assert "/in/" not in up.said
        assert "1/6" not in up.said
        assert " 2/6" not in up.said  # nothing to wait for, nothing to tell
        ask(home, example)
        (home.folder / "leave.md").write_text("# Leave\n\nUp to five days may be carried over until 31 March.\n")
        assert home.run("ingest", "leave.md").returncode == 0
        assert up.interrupt() == 0

    with home.up() as up:
        up.is_up()
        kept = {
            "en": f"Kept: 2 questions, 0 votes, {have['documents'] + 1} documents.",
            "ko": f"질문 2개, 표 0개, 문서 {have['documents'] + 1}개.",
        }
        up.says(kept[language])
        up.says({"en": "1 document, 1 passage", "ko": "문서 1개, 구절 1개"}[language])
        up.interrupt()
    nothing_is_left(home)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_killed_with_nine_then_the_next_start_recovers_and_lost_nothing(home, language):
    home.env["NOD_LANGUAGE"] = language
    with home.up() as up:
        up.is_up()
        ask(home, "How do I connect Slack?")
        up.child.kill()
        eventually(lambda: home.processes() == {}, 20, lambda: f"left: {home.processes()}")
    with home.up() as up:
        up.is_up()
        up.says(
            {
                "en": "The last run was killed. PostgreSQL had closed its files, nothing lost.",
                "ko": "지난번에 강제로 종료됐어요. PostgreSQL은 파일을 잘 닫았고, 잃은 것은 없어요.",
            }[language]
        )
        up.says({"en": "Kept: 1 question,", "ko": "질문 1개,"}[language])
        ask(home, "How do I connect Discord?")
        for pid in (up.child.pid, *home.processes()):  # the machine itself goes down: everything at once
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    with home.up() as up:
        up.is_up()
        recovered = {
            "en": r"The last run was killed\. PostgreSQL is recovering … done \(\d+ s\), nothing lost\.",
            "ko": r"지난번에 강제로 종료됐어요\. PostgreSQL이 복구하고 있어요 … 끝났어요 \(\d+초\), 잃은 것은 없어요\.",
        }
        assert re.search(recovered[language], up.said)
        up.says({"en": "Kept: 2 questions,", "ko": "질문 2개,"}[language])
        up.interrupt()
    nothing_is_left(home)


def test_a_start_right_after_the_kill_finds_no_orphan(home):
    with home.up() as up:
        up.is_up()
        first = set(home.processes())
        up.child.kill()
        with home.up() as again:
            again.is_up()
            assert not first & set(home.processes())
            assert again.interrupt() == 0
    nothing_is_left(home)


def test_a_process_that_does_not_listen_ends_as_well(home):
    with home.up() as up:
        up.is_up()
        os.kill(home.pid_of("nod worker"), signal.SIGSTOP)  # hears no signal that it could act on
        up.child.kill()
        eventually(lambda: home.processes() == {}, 30, lambda: f"the guard left: {home.processes()}")
    with home.up() as up:
        up.is_up()
        worker, page = home.pid_of("nod worker"), home.pid_of("nod web")
        os.kill(home.pid_of("nod-guard"), signal.SIGKILL)  # and nobody is left to see to it
        os.kill(worker, signal.SIGSTOP)
        up.child.kill()
        eventually(lambda: page not in home.processes())
        assert worker in home.processes()
        with home.up() as again:
            again.is_up()
            assert worker not in home.processes()
            again.interrupt()
    nothing_is_left(home)


def test_data_of_a_newer_nod_is_said_with_the_way_out(home):
    with home.up() as up:
        up.is_up()
        with psycopg.connect(services(home)["database_url"], autocommit=True) as db:
            db.execute("UPDATE alembic_version SET version_num = '2027_01'")
        up.interrupt()
    done = home.run("up")
    assert done.returncode == 1
    assert "written by a newer nod (revision 2027_01;" in done.stderr
    assert "restore a backup" in done.stderr
    nothing_is_left(home)


def test_when_make_is_killed_nod_ends_by_itself(home):
    # The Makefile of this repository, in a folder where `python3 -m nod.bootstrap` finds this installation.
    env = {"NOD_DATA_DIR": str(home.data_dir)}
    with home.up(command=["make", "-C", str(ROOT), "up", "NOD_WEB_PORT=0"], **env) as up:
        up.is_up()
        assert home.pid_of("nod up") != up.child.pid
        up.child.kill()
        eventually(lambda: home.processes() == {}, 40, lambda: f"left: {home.processes()}")
    assert not (home.data_dir / "run" / "services.json").exists()  # an orderly end


def test_two_side_by_side(home):
    (home.folder / ".nod").rename(home.folder / ".one")
    shutil.copytree(home.folder / ".one", home.folder / ".two")
    with home.up(NOD_DATA_DIR=".one") as one, home.up(NOD_DATA_DIR=".two", NOD_WORKERS="2") as two:
        one.is_up()
        two.is_up()
        first, second = Home(home.folder, data=".one"), Home(home.folder, data=".two")
        assert services(first)["web"] != services(second)["web"]
        ids = [{one["process_id"] for one in services(which)["processes"] if one["role"] == "worker"} for which in (first, second)]
        assert [len(workers) for workers in ids] == [1, 2]
        assert f"NOD_DATA_DIR=.two {NOD} ask" in two.said  # as it has to be typed
        home.run("ask", "--json", "How do I connect Slack?", NOD_DATA_DIR=".one")
        assert (counts(first)["questions"], counts(second)["questions"]) == (1, 0)
        assert one.interrupt() == 0
        assert call(services(second)["web"] + "/healthz").status == 200
        assert two.interrupt() == 0
    assert home.processes() == {}


def test_what_dies_is_started_again_with_the_same_id(home):
    with home.up() as up:
        up.is_up()
        before = {one["role"]: one for one in services(home)["processes"]}
        for role in ("worker", "web"):
            os.kill(before[role]["pid"], signal.SIGKILL)

        def are_back() -> bool:
            now = {one["role"]: one for one in services(home)["processes"]}
            return all(role in now and now[role]["pid"] != before[role]["pid"] for role in before)

        eventually(are_back, 40)
        after = {one["role"]: one for one in services(home)["processes"]}
        assert {role: one["process_id"] for role, one in after.items()} == {role: one["process_id"] for role, one in before.items()}
        eventually(lambda: json.loads(home.run("status", "--json").stdout)["ready"], 40)

        database_url = services(home)["database_url"]
        for name in ("postgres -D", "redis-server"):
            os.kill(home.pid_of(name), signal.SIGKILL)
        eventually(lambda: len(services(home)["servers"]) == 2 and home.run("status", "--json").returncode == 0, 60)
        assert services(home)["database_url"] == database_url
        assert ask(home, "How do I connect Slack?")["status"] == "answered"
        assert up.interrupt() == 0
    nothing_is_left(home)


@pytest.mark.parametrize(("language", "answers"), [("en", 1), ("ko", 2)])
def test_ctrl_c_says_how_many_answers_are_finishing_and_lets_them(home, language, answers):
    finishing = {
        "en": (
            "Stopping: {n} answer is finishing (25 s at most; Ctrl-C again stops now) …",
            "Stopping: {n} answers are finishing (25 s at most;",
        ),
        "ko": ("끝내는 중이에요: 답변 {n}개를 마무리해요 (길어도 25초,",) * 2,
    }[language][answers != 1].format(n=answers)
    with FakeModel() as model:
        home.env |= {"NOD_LANGUAGE": language, **model.env}
        model.will_say("OK")  # `nod doctor`, at the start
        with home.up() as up:
            up.is_up()
            assert re.search(
                {
                    "en": r"✓ Language model .*openai:gpt-4o, answered in \d+\.\d s · at most \$5\.00 a day \(NOD_DAILY_LIMIT\)",
                    "ko": r"✓ 언어 모델 .*openai:gpt-4o.*\d+\.\d초.* · 하루에 많아야 \$5\.00 \(NOD_DAILY_LIMIT\)",
                }[language],
                up.said,
            )
            for _ in range(answers):
                model.will_stream("Fifteen days, and five more may be carried over.", hold_after=3)
            asking = [asked(home, f"How many days of leave do I have, please? {n}") for n in range(answers)]
            eventually(lambda: sum(one["holding"] for one in model.state()["open"]) == answers)
            up.child.send_signal(signal.SIGINT)
            up.says(finishing)
            model.go_on()
            assert up.child.wait(60) == 0
            up.says(NOTHING_LEFT[language])
            said = [json.loads(one.communicate(timeout=30)[0]) for one in asking]
        assert [one["status"] for one in said] == ["answered"] * answers
        assert all("five more" in one["answer"] for one in said)
    nothing_is_left(home)


def asked(home: Home, text: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [NOD, "ask", "--json", text], env=home.environment(), cwd=home.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def test_a_second_ctrl_c_stops_now_and_the_answer_waits_for_the_next_start(home):
    with FakeModel() as model:
        home.env |= model.env
        model.will_say("OK")
        with home.up() as up:
            up.is_up()
            model.will_stream("Fifteen days, and five more may be carried over.", hold_after=3)
            asking = asked(home, "How many days of leave do I have, please?")
            eventually(lambda: any(one["holding"] for one in model.state()["open"]))
            since = time.monotonic()
            up.child.send_signal(signal.SIGINT)
            up.says("Ctrl-C again stops now")
            up.child.send_signal(signal.SIGINT)
            assert up.child.wait(60) == 0
            assert time.monotonic() - since < 20  # not the 25 s
            asking.kill()
            asking.communicate()
        assert home.processes() == {}
        model.will_say("OK", "Fifteen days.")
        with home.up() as up:
            up.is_up()
            eventually(lambda: ask_database(home, "SELECT status FROM answers") == ("answered",), 40)
            assert ask_database(home, "SELECT strikes, attempt FROM answers") == (0, 2)
            up.interrupt()
    nothing_is_left(home)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_bad_token_is_named_the_rest_works_and_a_good_one_is_taken_over(home, language):
    with FakeSlack() as slack:
        home.env |= {"NOD_LANGUAGE": language, "SLACK_API_URL": slack.url}
        env_file = home.folder / ".env"
        env_file.write_text(f"SLACK_BOT_TOKEN=xoxp-no-such-token\nSLACK_APP_TOKEN={slack.app_token}\n")
        with home.up() as up:
            up.is_up()
            row = up.says(" ✗ ")
            assert {"en": "Slack", "ko": "슬랙"}[language] in row
            assert "invalid_auth" in row
            assert "nod setup slack" in row
            assert ask(home, "How do I connect Slack?")["status"] == "answered"
            eventually(
                lambda: home.log().count("ended with code 1;") >= 3, 90, home.log
            )  # once it is up this is said, before it the row says it
            assert "xoxp-no-such-token" not in home.log() + up.said
            env_file.write_text(f"SLACK_BOT_TOKEN={slack.bot_token}\nSLACK_APP_TOKEN={slack.app_token}\n")
            up.says({"en": "Settings changed: starting again … done", "ko": "설정이 바뀌어 다시 시작해요 … 끝났어요"}[language])
            eventually(lambda: json.loads(home.run("status", "--json").stdout)["connected"]["slack"], 40)
            assert up.interrupt() == 0
    nothing_is_left(home)


def test_sigterm_is_like_ctrl_c(home):
    with home.up() as up:
        up.is_up()
        up.child.send_signal(signal.SIGTERM)
        assert up.child.wait(60) == 0
        up.says(NOTHING_LEFT["en"])
    nothing_is_left(home)


def test_ctrl_c_in_the_middle_of_the_start_leaves_nothing(new_home):
    with new_home.up() as up:
        up.says(" 4/6 ")
        assert up.interrupt() == 0
    nothing_is_left(new_home)


def test_tokens_stay_out_of_what_others_can_read(home):
    with home.up() as up:
        up.is_up()
        for path in (
            home.data_dir / "secret",
            home.data_dir / "lock",
            home.data_dir / "run" / "services.json",
            Path(up.home.data_dir / "log" / "nod.log"),
        ):
            assert path.stat().st_mode & 0o077 == 0, path
        secret = (home.data_dir / "secret").read_text()
        assert len(secret) == 64
        assert secret not in home.log() + up.said
        up.interrupt()
