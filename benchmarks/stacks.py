"""What is measured: the bare bot, and nod as `nod up` starts it. Both connect to the fakes as they would to the real ones."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
BOTS = {"slack": "SLACK_BOT_TOKEN", "discord": "DISCORD_TOKEN"}
SETTINGS_OF_OTHERS = ("REDIS_URL", "DATABASE_URL", "DISCORD_TOKEN", "ANTHROPIC_API_KEY", "BARE_MODEL")

PASSAGE = "규정 LV-15"
HANDBOOK = {
    "휴가.md": "# 휴가\n\n## 연차 휴가\n\n"
    f"연차 휴가는 1년에 15일이며, 남은 날은 이듬해 3월까지 쓸 수 있다 ({PASSAGE}).\n\n## 반차\n\n반차는 오전과 오후로 나눈다.\n",
    "expenses.md": "# Expenses\n\n## Receipts\n\nHand in receipts within 30 days. Meals are paid up to 40,000 won a day.\n",
    "장비.md": "# 장비\n\n## 노트북\n\n노트북은 3년마다 바꾼다. 고장 나면 3층 지원실로 가져온다.\n",
    "onboarding.md": "# Onboarding\n\n## First week\n\nA new colleague gets a laptop, an account and a buddy on the first day.\n",
    "회의실.md": "# 회의실\n\n## 예약\n\n회의실은 하루 전에 예약하고, 10분이 지나도 오지 않으면 풀린다.\n",
}

OTHER_DOCUMENTS, SECTIONS, SENTENCES = 40, 25, 14  # about 1,000 passages to search through, about something else
KOREAN_WORDS = (
    "서버 배포 일정 회의 고객 계약 견적 재고 창고 배송 품질 검사 보고서 예산 부서 담당자 승인 문서 교육 설비 점검 기록 주간 분기 "
    "매출 목표 지표 설계 시험 개선 도구 절차"
)
ENGLISH_WORDS = (
    "server release schedule meeting customer contract quote stock warehouse delivery quality inspection report budget team owner "
    "approval document training equipment check record weekly quarter revenue target metric design test improvement tool procedure"
)


@dataclass(slots=True)
class Started:
    """A child in a session of its own, whose output is kept for the day it fails."""

    command: list[str]
    env: Mapping[str, str]
    log: Path
    child: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        with self.log.open("wb") as log:
            self.child = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raise when it has ended, with the last lines it said."""
        if (code := self.child.poll()) is not None:
            raise RuntimeError(f"{' '.join(self.command)} ended with code {code}:\n{self.last_words()}")

    def last_words(self) -> str:
        """Its last 15 lines."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def stop(self, patience_seconds: float = 40.0) -> None:
        """Ask it to end, and after a while make it."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGINT)
        try:
            self.child.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait(5)


@dataclass(frozen=True, slots=True)
class Stack:
    """Something that answers in Slack: its name, whether it searches, its first process, and the way to end it."""

    name: str
    searches: bool
    started: Started
    stop: Callable[[], None]
    events: tuple[str, ...] | None = None  # what its app subscribes to; None: everything

    @property
    def roots(self) -> list[int]:
        """The pids under which all of its processes hang."""
        return [self.started.child.pid]

    def check(self) -> None:
        """Raise when it has died."""
        self.started.check()

    def last_words(self) -> str:
        """Return what it wrote last."""
        return self.started.last_words()


def start_bare(env: Mapping[str, str]) -> Stack:
    """One process: Slack, a model, nothing in between."""
    folder = tempfile.TemporaryDirectory(prefix="nod-bench-")
    started = Started([sys.executable, "-m", "benchmarks.bare_bot"], _clean(env), Path(folder.name) / "bare.log")

    def stop() -> None:
        started.stop(5)
        folder.cleanup()

    return Stack("bare", searches=False, started=started, stop=stop, events=("app_mention",))


def start_nod(env: Mapping[str, str]) -> Stack:
    """Start nod as people start it, in a data folder of its own, teach it a handbook and wait until it is ready."""
    folder = tempfile.TemporaryDirectory(prefix="nod-bench-")
    home = Path(folder.name)
    mine = environment(env, home)
    started = Started([str(BIN / "nod"), "up"], mine, home / "nod.log")

    def stop() -> None:
        started.stop()
        folder.cleanup()

    try:
        until_ready(started, mine)
        _teach(mine, home / "handbook")
    except BaseException:
        stop()
        raise
    return Stack("nod", searches=True, started=started, stop=stop)


def environment(env: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return what a `nod up` is given that keeps its data below `home`; `env` leads it to the fakes."""
    nowhere = {"DISCORD_API_URL": "http://127.0.0.1:9/api/v10"}  # whatever an .env says, nothing leaves this machine
    return _clean(nowhere | dict(env)) | {
        "NOD_DATA_DIR": str(home / "data"),
        "NOD_WEB_PORT": str(_free_port()),
        "NOD_MODEL": "openai:gpt-4o",
        "NOD_LIGHT_MODEL": "openai:gpt-4o-mini",
        "NOD_ANSWERS_AT_ONCE": "500",
        "NOD_DAILY_LIMIT": "1000000",  # the fake's tokens count as gpt-4o's; the check stays in what is measured
    }


def until_ready(started: Started, env: Mapping[str, str], within_seconds: float = 120.0) -> None:
    """Wait until it is ready, its bots are connected and `nod up` has said all: its doctor takes seconds of CPU."""
    platforms = [name for name, token in BOTS.items() if env.get(token)]
    deadline, said = time.monotonic() + within_seconds, ""
    while time.monotonic() < deadline:
        started.check()
        status = subprocess.run([BIN / "nod", "status", "--json"], cwd=ROOT, env=dict(env), capture_output=True, text=True, check=False)
        said = status.stdout or status.stderr
        if status.returncode == 0 and _is_ready(status.stdout, platforms) and "nod doctor" in started.log.read_text(errors="replace"):
            return
        time.sleep(0.5)
    raise RuntimeError(f"nod was not ready within {within_seconds:.0f} s; nod status said: {said[-500:]}\n{started.last_words()}")


def _is_ready(said: str, platforms: Iterable[str]) -> bool:
    try:
        status = json.loads(said)
    except json.JSONDecodeError:
        return False
    return bool(status.get("ready") and all(status.get("connected", {}).get(name) for name in platforms))


def _teach(env: Mapping[str, str], folder: Path) -> None:
    folder.mkdir()
    for name, text in HANDBOOK.items():
        (folder / name).write_text(text, encoding="utf-8")
    for number in range(OTHER_DOCUMENTS):
        (folder / f"other-{number}.md").write_text(_other(number), encoding="utf-8")
    done = subprocess.run([BIN / "nod", "ingest", str(folder)], cwd=ROOT, env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"nod ingest ended with code {done.returncode}: {done.stderr[-1000:]}")


def wait_for(is_so: Callable[[], object], seconds: float) -> bool:
    """Wait until something is so; return whether it came within so many seconds."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def _other(number: int) -> str:
    """Return a document, always the same for a number, that answers nobody's question."""
    chance = random.Random(number)
    words = (KOREAN_WORDS if number % 2 else ENGLISH_WORDS).split()
    parts = [f"# {number}. {' '.join(chance.sample(words, 3))}"]
    for section in range(SECTIONS):
        sentences = [" ".join(chance.choices(words, k=9)) + f" {chance.randrange(1000)}." for _ in range(SENTENCES)]
        parts += [f"## {number}-{section} {' '.join(chance.sample(words, 2))}", " ".join(sentences)]
    return "\n\n".join(parts) + "\n"


def _clean(env: Mapping[str, str]) -> dict[str, str]:
    """Return this environment with what leads to the fakes, and without what leads to other servers."""
    return {name: value for name, value in os.environ.items() if name not in SETTINGS_OF_OTHERS and not name.startswith("NOD_")} | dict(env)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
