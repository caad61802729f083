"""A file costs at most what it may, in a process that holds nothing; whatever it does, the next file is read."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from knowledge import ocr, reading
from knowledge.phrases import why_not
from knowledge.reading import Limits, Reader
from nod.errors import LoadError
from tests.knowledge.files import (
    ENTITY,
    claiming,
    docx,
    docx_bomb,
    docx_with_entity,
    encrypted,
    hwpx,
    link_in_zip,
    locked_word,
    pdf,
    pdf_bomb,
    pdf_of_many,
    pptx,
    scanned,
    sheet,
    with_part,
    xlsx,
    zipped,
)  # fmt: skip

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
    assert (await reader.read("leave.pdf", pdf(["Five days may be carried over."]))).pages == 1


async def test_what_nobody_sees_is_taken_out(reader: Reader):
    hidden = "연\u00ad차\u200b는 \u202e5일\U000e0041\U000e0042"
    assert (await reader.read("a.txt", hidden.encode())).pieces[0].text == "연차는 5일"


HOSTILE: list[tuple[str, Callable[[], bytes], str, str]] = [
    ("폭탄.docx", docx_bomb, "bomb", "unpacks to 401 MB, far more than a document is"),
    ("폭탄.xlsx", lambda: claiming(xlsx(a=[["b"]]), 4000), "bomb", r"unpacks to 4000 MB, far more than a document is"),
    ("bomb.pptx", lambda: claiming(pptx(), 200), "bomb", r"unpacks to 200 MB, far more than a document is"),
    ("bomb.hwpx", lambda: claiming(hwpx("가"), 200), "bomb", r"unpacks to 200 MB, far more than a document is"),
    ("bomb.zip", lambda: claiming(zipped({"a.md": "x"}), 200), "bomb", r"unpacks to 200 MB, far more than a document is"),
    ("many.zip", lambda: zipped({f"{n}.png": "" for n in range(10_001)}), "bomb", "holds more than 10,000 parts, far more than a document does"),
    ("bomb.pdf", lambda: pdf_bomb(300), "too_much_memory", "needs too much memory to read"),
    ("many.pdf", lambda: pdf_of_many(10**6), "too_large", "has more than 3,000 pages"),
    ("passwd.docx", docx_with_entity, "entities", "declares XML entities, which no word processor does"),
    ("passwd.xlsx", lambda: with_part(xlsx(a=[["b"]]), "xl/workbook.xml", ENTITY), "entities", "declares XML entities, which no word processor does"),
    ("passwd.pptx", lambda: with_part(pptx(), "ppt/slides/slide1.xml", ENTITY), "entities", "declares XML entities, which no word processor does"),
    ("laughs.hwpx", lambda: with_part(hwpx("가"), "Contents/section0.xml", ENTITY), "entities", "declares XML entities, which no word processor does"),
    ("up.zip", lambda: zipped({"../../etc/cron.d/x.txt": "x"}), "tricks", "holds a file whose path leads out of the archive"),
    ("root.zip", lambda: zipped({"/etc/x.txt": "x"}), "tricks", "holds a file whose path leads out of the archive"),
    ("윈도.zip", lambda: zipped({"..\\x.txt": "x"}), "tricks", "holds a file whose path leads out of the archive"),
    ("link.zip", link_in_zip, "tricks", "holds a link instead of a file"),
    ("nested.zip", lambda: zipped({"1.zip": zipped({"2.zip": b"x"})}), "no_text", "holds no file that can be read; 1.zip is an archive in an archive"),
    ("wide.xlsx", lambda: sheet("<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>"), "endless", r"has a sheet (자료) of more than 100,000 rows or 500 columns"),
    ("deep.json", lambda: b"[" * 100_000, "unreadable", "is nested too deeply to be read"),
    ("deep.html", lambda: b"<div>" * 50_000 + b"x", "unreadable", "is nested too deeply to be read"),
    ("계약서.pdf", lambda: pdf(["비밀"], password="1"), "locked", "is locked with a password"),
    ("계약서.xlsx", locked_word, "locked", "is locked with a password"),
    ("계약서.zip", lambda: encrypted(zipped({"a.md": "x"})), "locked", "is locked with a password"),
    ("macro.docx", lambda: with_part(docx(), "word/vbaProject.bin", b"x"), "macros", "holds macros: save it without them and try again"),
    ("매크로.xlsm", lambda: with_part(xlsx(a=[["b"]]), "xl/vbaProject.bin", b"x"), "macros", "holds macros: save it without them and try again"),
    ("계산서\u202efdp.exe", lambda: b"MZ\0\0", "unsupported", "is a program, not a document"),
    ("invoice\u202efdp.html", lambda: pdf(["x"]), "wrong_type", "is PDF by its content, not HTML: rename it and try again"),
    ("empty.docx", lambda: b"", "empty", "is empty"),
    ("comments.md", lambda: b"<!-- nothing to see -->", "no_text", "holds no text"),
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_reader() -> AsyncIterator[Reader]:
    """One reader for the whole table: whatever a file does to it, it reads the next."""
    async with Reader() as reader:
        yield reader


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("name", "content", "kind", "sentence"), HOSTILE, ids=[name for name, *_ in HOSTILE])
async def test_a_bad_file_is_refused_by_name_in_both_languages_and_the_next_one_is_read(
    one_reader: Reader, name: str, content: Callable[[], bytes], kind: str, sentence: str
):
    seen = name.replace("\u202e", "")
    assert await refusal(one_reader, name, content()) == (kind, f"{seen} {sentence}.")
    assert re.match(rf"{seen}: .*[가-힣].*[.]$", why_not(name, kind, "ko"))
    assert (await one_reader.read("휴가.md", GOOD)).title == "휴가"


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
