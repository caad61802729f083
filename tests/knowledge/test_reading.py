"""A file costs at most what it may, in a process that holds nothing; whatever it does, the next file is read."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge import ocr, reading
from knowledge.reading import Limits, Reader
from nod.errors import LoadError
from tests.knowledge.files import docx, docx_bomb, docx_with_entity, pdf, pdf_bomb, scanned

GOOD = "# 휴가\n\n연차는 5일까지 이월돼요.".encode()
SLOW = b"*a_" * 1_000_000  # Markdown that takes its parser a quarter of a minute

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


async def refusal(reader: Reader, name: str, content: bytes) -> tuple[str, str]:
    with pytest.raises(LoadError) as refused:
        await reader.read(name, content)
    return refused.value.kind, str(refused.value)


def pid_of(reader: Reader) -> int:
    assert reader._process
    return reader._process.pid


def child_of(pid: int) -> int | None:
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
    return None


async def reading_child(reader: Reader) -> int:
    """The pid of the process which reads a file just now."""
    while reader._process is None or not (child := child_of(reader._process.pid)):
        await asyncio.sleep(0.01)
    return child


async def is_limited(pid: int) -> dict[str, str]:
    """The limits of a process, once it has set them."""
    while True:
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
        limits = {line[:26].strip(): line[26:47].strip() for line in lines}
        if limits["Max open files"] == "64":
            return limits
        await asyncio.sleep(0.01)


async def test_a_file_becomes_passages_with_what_it_says_of_itself(reader: Reader):
    read = await reader.read("휴가.md", GOOD)
    assert (read.title, [piece.text for piece in read.pieces], read.pages) == ("휴가", ["연차는 5일까지 이월돼요."], None)
    assert 0 < read.cpu_seconds < 30
    assert (await reader.read("leave.pdf", pdf(["Five days may be carried over."]))).pages == 1


async def test_what_nobody_sees_is_taken_out(reader: Reader):
    hidden = "연\u00ad차\u200b는 \u202e5일\U000e0041\U000e0042"
    assert (await reader.read("a.txt", hidden.encode())).pieces[0].text == "연차는 5일"


@pytest.mark.parametrize(
    ("name", "content", "kind", "sentence"),
    [
        ("폭탄.docx", docx_bomb, "bomb", "폭탄.docx unpacks to 401 MB, far more than a document is."),
        ("bomb.pdf", lambda: pdf_bomb(300), "too_much_memory", "bomb.pdf needs too much memory to read."),
        ("passwd.docx", docx_with_entity, "entities", "passwd.docx declares XML entities, which no word processor does."),
        ("deep.html", lambda: b"<div>" * 50_000 + b"x", "unreadable", "deep.html is nested too deeply to be read."),
        ("계약서.pdf", lambda: pdf(["비밀"], password="1"), "locked", "계약서.pdf is locked with a password."),
        ("empty.docx", lambda: b"", "empty", "empty.docx is empty."),
        ("comments.md", lambda: b"<!-- nothing to see -->", "no_text", "comments.md holds no text."),
    ],
)
async def test_a_bad_file_is_refused_by_name_and_the_next_one_is_read(
    reader: Reader, name: str, content: Callable[[], bytes], kind: str, sentence: str
):
    assert await refusal(reader, name, content()) == (kind, sentence)
    assert (await reader.read("휴가.md", GOOD)).title == "휴가"


@pytest.mark.skipif(not shutil.which("tesseract"), reason="tesseract is not installed")
async def test_a_scanned_page_is_read_in_both_languages(reader: Reader):
    if not ocr.is_there():
        pytest.skip("tesseract has no Korean data")
    read = await reader.read("스캔.pdf", scanned(["제3조(연차) 연차는 5일까지 이월할 수 있다.", "Half days count as half a day."]))
    assert [(piece.heading, piece.page) for piece in read.pieces] == [("제3조(연차)", 1)]
    assert "이월할 수 있다." in read.pieces[0].text
    assert "Half days count as half a day." in read.pieces[0].text


async def test_the_limit_of_time_holds_for_each_scanned_page_and_not_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "tesseract").write_text(
        "#!/bin/sh\n[ $1 = --list-langs ] && echo kor eng || { sleep 0.8; printf '사규\\n1\\n연차는 이월돼요.\\n-\\n끝\\n'; }\n"
    )
    (tmp_path / "tesseract").chmod(0o755)
    monkeypatch.setitem(reading._ENVIRONMENT, "PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(reading, "_GRACE_SECONDS", 0)
    pages = scanned(*[["연차"]] * 5, dpi=20)
    async with Reader(Limits(wall_seconds=3)) as reader:
        assert (await reader.read("스캔.pdf", pages)).pages == 5
    async with Reader(Limits(wall_seconds=3, longest_seconds=2)) as reader:
        assert (await refusal(reader, "스캔.pdf", pages))[0] == "too_slow"
        assert (await reader.read("휴가.md", GOOD)).title == "휴가"


async def test_a_file_that_takes_too_much_computing_is_given_up():
    async with Reader(Limits(cpu_seconds=1)) as reader:
        assert await refusal(reader, "느림.md", SLOW) == ("too_slow", "느림.md takes too long to read.")
        assert (await reader.read("휴가.md", GOOD)).title == "휴가"


@linux
async def test_a_file_whose_reader_hangs_is_given_up():
    async with Reader(Limits(wall_seconds=3)) as reader:
        reading = asyncio.create_task(refusal(reader, "hang.md", SLOW))
        os.kill(await reading_child(reader), signal.SIGSTOP)
        assert await reading == ("too_slow", "hang.md takes too long to read.")
        assert (await reader.read("휴가.md", GOOD)).title == "휴가"


@linux
async def test_a_reader_that_hangs_itself_is_replaced(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("knowledge.reading._GRACE_SECONDS", 0)
    async with Reader(Limits(wall_seconds=2)) as reader:
        await reader.read("휴가.md", GOOD)
        os.kill(pid_of(reader), signal.SIGSTOP)
        assert (await refusal(reader, "a.md", GOOD))[0] == "too_slow"
        assert (await reader.read("휴가.md", GOOD)).title == "휴가"


@linux
@pytest.mark.parametrize("whole", [False, True])
async def test_a_killed_reader_is_a_refusal_by_name_and_the_next_file_is_read(reader: Reader, whole: bool):
    reading = asyncio.create_task(refusal(reader, "crash.md", SLOW))
    child = await reading_child(reader)
    os.kill(pid_of(reader) if whole else child, signal.SIGKILL if whole else signal.SIGSEGV)
    assert await reading == ("crashed", "crash.md makes its reader crash.")
    assert (await reader.read("휴가.md", GOOD)).title == "휴가"


@linux
async def test_the_process_that_reads_holds_no_secret_no_descriptor_and_no_more_than_its_limits(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-readers")
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        reading = asyncio.create_task(refusal(reader, "slow.md", SLOW))
        child = await reading_child(reader)
        limits = await is_limited(child)
    held = sorted(str(fd.readlink()) for fd in Path(f"/proc/{child}/fd").iterdir())
    environment = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
    mapped = int(Path(f"/proc/{child}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    assert held[:3] == ["/dev/null"] * 3
    assert [fd[:5] for fd in held[3:]] == ["pipe:"]
    assert sorted(entry for entry in environment if entry) == [b"LANG=C.UTF-8", b"PATH=/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin"]
    assert (limits["Max cpu time"], limits["Max core file size"], limits["Max file size"]) == ("30", "0", "0")
    assert 512 * 2**20 <= int(limits["Max address space"]) <= mapped + 512 * 2**20
    reading.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await reading
    assert reader._process is None


@linux
async def test_the_process_that_reads_has_no_network(reader: Reader):
    await reader.read("휴가.md", GOOD)
    pid = pid_of(reader)
    if Path(f"/proc/{pid}/ns/net").readlink() == Path("/proc/self/ns/net").readlink():
        pytest.skip("this system lets nobody leave the network")
    assert Path(f"/proc/{pid}/net/dev").read_text().count(":") == 1  # loopback alone, and that is down


async def test_leaving_the_reader_ends_its_process(reader: Reader):
    async with Reader() as another:
        await another.read("휴가.md", GOOD)
        pid = pid_of(another)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_file_larger_than_the_limit_is_not_even_sent(reader: Reader, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("knowledge.reading.MOST_BYTES", 10)
    assert (await refusal(reader, "큰.docx", docx()))[0] == "too_large"
    assert reader._process is None
