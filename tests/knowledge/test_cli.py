"""`nod ingest` and `nod search` as they are run: real processes, what they print, how they end."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from knowledge.phrases import PHRASES, why_not
from tests import warm
from tests.knowledge.files import docx_bomb, pdf

LEAVE = "# 휴가 규정\n\n## 이월\n\n연차는 다음 해 3월 31일까지 5일까지 이월돼요.\n"
VPN = "# VPN\n\nOpen the client and choose Seoul.\n"


@pytest.fixture
def nod(process_env: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command of nod; `env` changes its environment."""

    def run(*words: str | Path, text_in: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        return warm.run(words, cwd=tmp_path, env=process_env | env, text_in=text_in)

    return run


def report(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_folder_is_learnt_found_changed_and_forgotten(nod: Callable[..., Any], folder_of: Callable[..., Path]):
    root = folder_of({"휴가.md": LEAVE, "it/vpn.md": VPN, "사진.png": b"\x89PNG"})
    done = nod("ingest", root)
    assert (done.returncode, done.stdout) == (0, "2 learnt, 1 file of another kind left alone\n")
    assert done.stderr.splitlines() == [
        f"2 passages can be found now: {warm.NOD} search WORDS   or ask: {warm.NOD} ask QUESTION",
        f"It stays in step while nod runs; to end that and forget it: {warm.NOD} ingest --remove {root}",
    ]
    found = report(nod("search", "연차 이월", "--json"))
    assert found["is_known"] is True
    best = found["passages"][0]
    assert (best["title"], best["heading"], best["page"]) == ("휴가 규정", "이월", None)
    assert best["text"] == "연차는 다음 해 3월 31일까지 5일까지 이월돼요."
    assert best["score"] == pytest.approx(sum(best["parts"].values()), abs=0.001)
    assert {"passage_id", "document_id"} <= set(best)
    again = nod("ingest", root)
    assert (again.stdout.startswith("0 learnt, 2 unchanged"), again.stderr) == (True, "")
    folder_of({"it/vpn.md": None, "휴가.md": LEAVE.replace("5일까지", "10일까지")})
    again = report(nod("ingest", root, "--json"))
    assert (again["learnt"], again["unchanged"], again["failed"], again["removed"], again["skipped"]) == (1, 0, 0, ["it/vpn.md"], 1)
    assert "10일까지" in report(nod("search", "연차 이월", "--json"))["passages"][0]["text"]
    assert nod("ingest", "--remove", str(best["document_id"])).stdout == "Forgotten: 휴가 규정\n"
    assert report(nod("search", "연차 이월", "--json")) == {
        "passages": [], "confidence": 0.0, "is_known": False, "also_asked": None, "missing_translation": None, "missing_vectors": None,
    }  # fmt: skip


def test_a_folder_stays_in_step_until_it_is_removed(nod: Callable[..., Any], folder_of: Callable[..., Path]):
    root = folder_of({"휴가.md": LEAVE, "it/vpn.md": VPN})
    assert nod("ingest", "--list").stdout == f"Nothing stays in step yet: {warm.NOD} ingest FOLDER\n"
    nod("ingest", root)
    (source,) = report(nod("ingest", "--list", "--json"))["sources"]
    assert (source["kind"], source["location"], source["scope"], source["documents"], source["error"]) == (
        "folder",
        str(root),
        "everyone",
        2,
        None,
    )
    assert re.fullmatch(
        rf"   1  {root}   folder · everyone   ✓ \d+초 전에 맞춤, 문서 2개, 구절 2개\n", nod("ingest", "--list", NOD_LANGUAGE="ko").stdout
    )
    folder_of({"it/vpn.md": None})
    again = report(nod("ingest", "--sync", "--json"))
    assert (again["learnt"], again["removed"]) == (0, ["it/vpn.md"])
    assert (
        nod("ingest", "--sync", "nowhere").stderr == f"Nothing stays in step with {root.with_name('nowhere')}: {warm.NOD} ingest --list\n"
    )
    root.rename(root.with_name("unmounted"))
    gone = nod("ingest", "--sync", root)
    assert (gone.returncode, gone.stdout) == (1, "0 learnt, 1 not:\n")
    assert gone.stderr == f"  {root} is not there now (No such file or directory); what nod learnt from it is kept.\n"
    assert nod("ingest", "--list").stdout.endswith("✗ " + gone.stderr.strip() + "\n")
    root.with_name("unmounted").rename(folder := root.with_name("moved"))
    assert nod("ingest", "--move", root, "gone", NOD_LANGUAGE="ko").stderr.endswith("/gone: 그런 파일이나 폴더가 없어요.\n")
    assert report(nod("ingest", "--move", root, folder, "--json"))["unchanged"] == 1
    removed = nod("ingest", "--remove", folder)
    assert (removed.stdout, removed.stderr) == (
        "Forgotten: 휴가 규정\n",
        f"For 10 minutes it can be brought back: {warm.NOD} ingest --restore {folder}\n",
    )
    assert report(nod("search", "연차 이월", "--json"))["passages"] == []
    assert report(nod("ingest", "--restore", folder, "--json")) == {"restored": ["휴가 규정"]}
    assert len(report(nod("search", "연차 이월", "--json"))["passages"]) == 1
    assert nod("ingest", "--restore", folder).returncode == 1
    nod("ingest", "--remove", folder)
    assert report(nod("ingest", "--list", "--json")) == {"sources": []}
    assert nod("ingest", "--list", root).returncode == 2


def test_one_file_that_was_removed_is_brought_back_alone(nod: Callable[..., Any], folder_of: Callable[..., Path], tmp_path: Path):
    (alone := tmp_path / "pool.md").write_text("# Pool\n\nThe pool opens on Tuesdays.\n")
    root = folder_of({"휴가.md": LEAVE, "it/vpn.md": VPN})
    nod("ingest", root, alone)

    def found(question: str) -> dict[str, int]:
        return {passage["title"]: passage["document_id"] for passage in report(nod("search", question, "--json"))["passages"]}

    def listed(language: str) -> str:
        return nod("ingest", "--list", NOD_LANGUAGE=language).stdout.strip().rpartition("✓ ")[2]

    pool = str(found("when does the pool open")["Pool"])
    for name, question, title in ((root / "휴가.md", "연차 이월", "휴가 규정"), (pool, "when does the pool open", "Pool")):
        removed = nod("ingest", "--remove", name)
        assert removed.stderr == f"For 10 minutes it can be brought back: {warm.NOD} ingest --restore {name}\n"
        if name != pool:
            nod("ingest", "--sync", root)
            assert re.fullmatch(r"in step \d+ s ago, 1 document, 1 passage, 1 taken out", listed("en"))
            assert re.fullmatch(r"\d+초 전에 맞춤, 문서 1개, 구절 1개, 1개는 뺐음", listed("ko"))
        assert title not in found(question)
        assert report(nod("ingest", "--restore", name, "--json")) == {"restored": [title]}
        assert title in found(question)
        again = nod("ingest", "--restore", name, NOD_LANGUAGE="ko")
        assert (again.returncode, again.stderr) == (1, f"{name}: 지난 10분 동안 터미널에서 뺀 것이 없어요.\n")
    assert re.fullmatch(r"in step \d+ s ago, 2 documents, 2 passages", listed("en"))


def test_a_text_that_is_piped_in_is_taught_and_gaps_are_listed(nod: Callable[..., Any]):
    taught = nod("ingest", "-", "--json", text_in="The pool opens on Tuesdays.\n")
    assert report(taught) == {"document_id": 1, "title": "The pool opens on Tuesdays.", "scope": "everyone", "is_new": True}
    assert report(nod("search", "when does the pool open", "--json"))["passages"][0]["text"] == "The pool opens on Tuesdays."
    empty = nod("ingest", "-", text_in=" \n")
    assert (empty.returncode, empty.stdout) == (1, "")
    assert "the text is empty" in empty.stderr
    assert nod("ingest", "--gaps").stdout == "Nothing was asked in vain.\n"
    assert nod("ingest", "--gaps", "--json").stdout == "[]\n"


def test_bad_files_are_named_the_rest_is_learnt_and_the_end_says_so(nod: Callable[..., Any], folder_of: Callable[..., Path]):
    root = folder_of({"휴가.md": LEAVE, "계약서.pdf": pdf(["비밀"], password="1"), "폭탄.docx": docx_bomb(200), "z.txt": b"\0\1"})
    done = nod("ingest", root, root / "gone.md", "http://169.254.169.254/latest", "file:///etc/passwd")
    assert done.returncode == 1
    assert done.stdout == "1 learnt, 6 not:\n"
    said = done.stderr
    for sentence in (
        "계약서.pdf is locked with a password.",
        "z.txt is not what its name says.",
        "gone.md does not exist.",
        "169.254.169.254 is not an address of the open internet; nod does not fetch from there.",
        "file:///etc/passwd is not a web address that can be fetched.",
    ):
        assert sentence in said
    assert re.search(r"폭탄\.docx unpacks to 20\d MB, far more than a document is\.", said)
    assert report(nod("search", "연차 이월", "--json"))["is_known"] is True
    (source,) = report(nod("ingest", "--list", "--json"))["sources"]
    assert source["not_read"][0] == {"name": "z.txt", "kind": "wrong_type", "sentence": "z.txt is not what its name says."}
    assert nod("ingest", "--list", NOD_LANGUAGE="ko").stdout.count("\n      ") == 3
    failed = [document for document in report(nod("ingest", root, "--json"))["documents"] if document["state"] == "failed"]
    assert sorted((document["location"], document["error_kind"]) for document in failed) == [
        ("z.txt", "wrong_type"), ("계약서.pdf", "locked"), ("폭탄.docx", "bomb"),
    ]  # fmt: skip


def test_korean_terminals_are_spoken_to_in_korean(nod: Callable[..., Any], folder_of: Callable[..., Path]):
    root = folder_of({"휴가.md": LEAVE, "vpn.md": VPN, "계약서.pdf": pdf(["비밀"], password="1")})
    done = nod("ingest", root, NOD_LANGUAGE="ko")
    assert done.stdout == "2개 배웠어요, 1개는 못 읽었어요:\n"
    assert done.stderr.splitlines() == [
        "  계약서.pdf: 암호로 잠겨 있어요.",
        f"구절 2개를 찾을 수 있어요: {warm.NOD} search 낱말   물어보기: {warm.NOD} ask 질문",
        f"nod가 떠 있는 동안 계속 맞춰 둬요. 그만두고 잊으려면: {warm.NOD} ingest --remove {root}",
    ]
    assert nod("search", "점심 메뉴", NOD_LANGUAGE="ko").stdout == (
        "찾은 게 없어요.\n영어 문서도 있지만 한국어로만 찾았어요. 연결된 언어 모델이 없거나 제때 응답하지 않았어요.\n"
    )
    shown = nod("search", "연차 이월", NOD_LANGUAGE="ko", NOD_ACROSS_LANGUAGES="false").stdout
    assert re.search(r"= 단어 \d+\.\d \+ 짝 \d+\.\d \+ 제목 \d+\.\d\n    연차는 .*이월돼요\.\n$", shown)
    assert nod("search", "Seoul 지점 접속", NOD_LANGUAGE="ko").stdout.endswith("문서가 영어예요. 언어 모델 없이 이름·숫자로만 찾았어요.\n")


def test_a_search_shows_where_passages_stand_and_how_their_score_comes_about(nod: Callable[..., Any], folder_of: Callable[..., Path]):
    nod("ingest", folder_of({"휴가.md": LEAVE}))
    first, second = nod("search", "연차", "이월").stdout.splitlines()
    assert re.fullmatch(r" 1  휴가 규정 · 이월 · \d{4}-\d\d-\d\d   \d+\.\d = words \d+\.\d \+ pairs \d+\.\d \+ title \d+\.\d", first)
    assert second == "    연차는 다음 해 3월 31일까지 5일까지 이월돼요."


def test_a_scope_is_learnt_into_and_searched_by_name(nod: Callable[..., Any], folder_of: Callable[..., Path]):
    nod("ingest", folder_of({"휴가.md": LEAVE}), "--scope", "channel:slack:C1")
    assert report(nod("search", "연차 이월", "--json"))["passages"] == []
    assert len(report(nod("search", "연차 이월", "--scope", "channel:slack:C1", "--json"))["passages"]) == 1


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "There is no scope 'team'; use everyone"), ("ko", "'team': 그런 범위는 없어요.")]
)
def test_a_scope_that_means_nothing_is_refused_wherever_it_is_named(nod: Callable[..., Any], language: str, sentence: str):
    for command in (("ingest", "https://example.com/"), ("search", "leave"), ("ask", "leave")):
        wrong = nod(*command, "--scope", "team", NOD_LANGUAGE=language)
        assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (1, "", 1), wrong.stderr
        assert wrong.stderr.startswith(sentence)


@pytest.mark.parametrize(("language", "sentence"), [("en", "nowhere does not exist."), ("ko", "nowhere: 그런 파일이나 폴더가 없어요.")])
def test_what_does_not_exist_is_said_so(nod: Callable[..., Any], language: str, sentence: str):
    done = nod("ingest", "nowhere", NOD_LANGUAGE=language)
    assert (done.returncode, done.stderr.strip()) == (1, sentence)


def test_the_handbook_is_learnt_in_both_languages_and_only_what_changed_is_read_again(nod: Callable[..., Any]):
    first = report(nod("ingest", "--handbook", "--json"))
    assert first["failed"] == 0
    assert {"en", "ko"} <= {document["location"].partition("/")[0] for document in first["documents"]}
    again = report(nod("ingest", "--handbook", "--json"))
    assert (again["learnt"], again["unchanged"]) == (0, first["learnt"])
    assert report(nod("search", "Slack 연결", "--json"))["passages"]


def test_nothing_named_is_a_usage_error_and_no_server_a_sentence(nod: Callable[..., Any], tmp_path: Path):
    assert nod("ingest").returncode == 2
    away = nod("search", "x", DATABASE_URL=f"postgresql:///nod?host={tmp_path}", REDIS_URL="redis://127.0.0.1:1")
    assert (away.returncode, away.stdout) == (1, "")
    assert away.stderr.startswith("PostgreSQL does not answer:")
    assert away.stderr.count("\n") == 1


def test_a_bar_is_shown_on_a_terminal(process_env: dict[str, str], tmp_path: Path, folder_of: Callable[..., Path]):
    root = folder_of({f"{n}.md": LEAVE for n in range(5)})
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        done = subprocess.Popen(
            [warm.NOD, "ingest", root], cwd=tmp_path, env=process_env | {"TERM": "xterm"}, stdout=subprocess.PIPE, stderr=theirs
        )
        os.close(theirs)
        shown = b""
        while part := _read(terminal):
            shown += part
        assert done.communicate()[0] == b"5 learnt\n"
    assert "/5" in shown.decode()
    assert "4.md" in shown.decode()


def passages_in(db: psycopg.Connection) -> dict[str, int]:
    """The passage of each document that is learnt: learning one again would give it another number."""
    rows = db.execute("SELECT location, passage_id FROM documents JOIN passages USING (document_id) WHERE state = 'ready'").fetchall()
    assert len(rows) == len(dict(rows))
    return dict(rows)


@pytest.fixture
def db(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as db:
        yield db


@pytest.mark.timeout(300)
def test_a_run_that_is_killed_is_gone_on_with_and_nothing_is_learnt_twice_or_missed(
    nod: Callable[..., Any], process_env: dict[str, str], tmp_path: Path, folder_of: Callable[..., Path], db: psycopg.Connection
):
    root = folder_of({f"{n:03}.txt": f"문서 {n} says {n * 7}." for n in range(500)})
    known: dict[str, int] = {}
    for share in (0.3, 0.6, 0.9):
        said = tmp_path / f"{share}.txt"
        run = warm.Warm(["ingest", root], cwd=tmp_path, env=process_env, out=Path(os.devnull), err=said)
        while len(passages_in(db)) < 500 * share:
            assert run.poll() is None
            time.sleep(0.1)
        run.kill()
        run.wait()
        assert said.read_text() == (f"Going on: {len(known)} of 500 are known already.\n" if known else "")
        now = passages_in(db)
        assert now == now | known
        known = now
    done = nod("ingest", root, NOD_LANGUAGE="ko")
    assert done.stderr.startswith(f"이어서 배워요. 500개 가운데 {len(known)}개는 이미 알고 있어요.\n구절 ")
    assert done.stdout == f"{500 - len(known)}개 배웠어요, {len(known)}개는 그대로예요\n"
    now = passages_in(db)
    assert (len(now), now) == (500, now | known)


def _read(terminal: Any) -> bytes:
    try:
        return terminal.read(4096)
    except OSError:  # how Linux says that nobody holds the other end any more
        return b""


def test_every_phrase_exists_in_both_languages_with_the_same_words_to_fill_in():
    assert PHRASES.keys("en") == PHRASES.keys("ko")
    for key in PHRASES.keys("en"):
        fields = [set(re.findall(r"\{(\w+)\}", PHRASES._tables[language][key])) for language in ("en", "ko")]
        assert fields[0] == fields[1], key


def test_every_kind_of_refusal_has_a_phrase():
    sources = (path.read_text("utf-8") for path in (Path(__file__).parents[2] / "knowledge").rglob("*.py"))
    kinds = {kind for source in sources for kind in re.findall(r'LoadError\([^\n]*?"(\w+)"\)', source)}
    kinds |= {"too_slow", "too_much_memory", "crashed", "unreadable", "wrong_type", "no_text", "too_large"}
    assert len(kinds) > 12
    assert {f"load.{kind}" for kind in kinds} <= PHRASES.keys("ko")
    assert why_not("a.md", "never heard of", "ko") == "a.md: 손상되어 읽을 수 없어요."
    assert why_not("a.md", "locked", "en", "a.md is locked with a password.") == "a.md is locked with a password."
