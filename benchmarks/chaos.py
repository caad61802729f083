"""`make chaos`: people ask while everything breaks; then it is counted what they got, from the fake platforms alone.

The fakes of Slack, Discord and the model are processes of their own, nod is a whole `nod up`. Questions, faults and their moments
are drawn from the seed that is printed; the same seed draws them again. Exits with 1 when a promise was not kept.
"""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

import psycopg

from benchmarks.chat import machine
from benchmarks.faults import KINDS, Home, Stage, inject, moments
from benchmarks.people import People, calls_from, planned, wait_for
from benchmarks.promises import (
    KILLS,
    Fate,
    Fault,
    Row,
    Transcript,
    Vote,
    against_record,
    fates,
    met,
    takeovers,
    troubles,
)
from benchmarks.volleys import percentile
from bot.faces import PHRASES
from nod.folder import DataFolder
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack

SETTLE_SECONDS = 120.0  # after the last fault nothing may be open longer than this
QUIET_SECONDS = 3.0  # a second answer would come now
QUESTIONS_PER_SECOND = 1.5
CONTINUING = tuple(PHRASES.say("step.continuing", language) for language in ("ko", "en"))

_ROWS = """
    SELECT q.platform, q.message_id, a.status, a.shown_at IS NOT NULL,
           array(SELECT m.message_id FROM answer_messages m WHERE m.answer_id = a.answer_id AND m.shown_to IS NULL)
      FROM answers a JOIN questions q USING (question_id) WHERE q.platform IN ('slack', 'discord')"""
_VOTES = """
    SELECT q.platform, q.message_id, p.external_id, v.value FROM votes v JOIN answers a USING (answer_id)
      JOIN questions q USING (question_id) JOIN persons p ON p.person_id = v.person_id WHERE v.value IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run came to."""

    seed: int
    seconds: float
    told: Transcript
    found: Sequence[Fate]
    wrong: Sequence[str]
    votes: int

    @property
    def counts(self) -> Counter[str]:
        """How many questions were answered, apologised, lost, duplicated, not accepted."""
        return Counter(fate.verdict for fate in self.found)

    def rows(self) -> list[dict[str, Any]]:
        """Return the table: a row for each kind of fault with the questions that met it, and one for all."""
        kinds = [kind for kind in KINDS if any(fault.kind == kind for fault in self.told.faults)]
        return [self._row(kind, [f for f in self.told.faults if f.kind == kind]) for kind in kinds] + [self._row("all", self.told.faults)]

    def _row(self, name: str, faults: Sequence[Fault]) -> dict[str, Any]:
        questions = self.found if name == "all" else met(self.found, faults)
        counts = Counter(fate.verdict for fate in questions)
        kills = [fault for fault in faults if fault.kind in KILLS]
        seconds = takeovers(self.found, kills, CONTINUING)
        return {
            "fault": name, "injected": len(faults), "accepted": len(questions) - counts["not accepted"], "answered": counts["answered"],
            "apologised": counts["apologised"], "lost": counts["lost"], "duplicated": counts["duplicated"], "takeovers": len(seconds),
            "takeover_p50": percentile(seconds, 0.5), "takeover_p95": percentile(seconds, 0.95),
        }  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Return everything a program may want of it."""
        return {
            "seed": self.seed, "seconds": round(self.seconds, 1), "machine": machine(), "rows": self.rows(), "votes": self.votes,
            "not_accepted": self.counts["not accepted"], "troubles": list(self.wrong), "faults": [asdict(f) for f in self.told.faults],
        }  # fmt: skip


def run(seed: int, kinds: list[str], seconds: float, questions: int, folder: Path) -> Run:
    """Start everything, let people ask while it breaks, wait until nothing is open, and check."""
    began, random = time.monotonic(), Random(seed)
    lines, plan = planned(random, seconds, questions, seed % 1000), moments(random, kinds, seconds)
    model = FakeModel()
    try:
        with FakeSlack() as slack, FakeDiscord() as discord:
            tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token, "SLACK_API_URL": slack.url}
            home = Home(folder, tokens | {"DISCORD_TOKEN": discord.token, "DISCORD_API_URL": discord.url} | model.env)
            stage = Stage(home, slack, discord, model, People(slack, discord, lines))
            slack.timing(ack_seconds=1.5, retry_seconds=[0, 2, 4, 8, 16, 16, 16])  # sooner than in life, for as long as a restart takes
            stage.speak()
            try:
                home.start()
                told = broken(stage, lambda: inject(stage, plan, _say))
                found, wrong = judged(told, home, stage.people.voted)
            finally:
                home.stop()
    finally:
        model.stop()
    return Run(seed, time.monotonic() - began, told, found, wrong, len(stage.people.voted))


def broken(stage: Stage, break_all: Callable[[], list[Fault]]) -> Transcript:
    """Let people ask while things break; return what there is to see when all has settled."""
    people = stage.people
    people.meet()
    asking = Thread(target=people.run, daemon=True)
    asking.start()
    faults = break_all()
    stage.mend()
    people.over.wait(SETTLE_SECONDS)
    if people.error:
        raise RuntimeError(f"the people stopped asking: {people.error!r}") from people.error
    _say(f"{len(people.asked)} questions asked, waiting until nothing is open")
    wait_for(people.is_settled, SETTLE_SECONDS)
    people.vote()
    time.sleep(QUIET_SECONDS)
    return Transcript(people.questions(), people.seen(), calls_from(stage.model), faults, people.still_busy())


def judged(told: Transcript, home: Home, sent: Sequence[Vote]) -> tuple[list[Fate], list[str]]:
    """Return what became of each question and all that is wrong: by what people saw first, by the record only then."""
    found, _ = fates(told)
    rows, votes = recorded(home)
    return found, troubles(told) + against_record(found, rows, votes, sent)


def recorded(home: Home) -> tuple[list[Row], list[Vote]]:
    """Return answers and votes as the record has them."""
    services = DataFolder(home.data).left()
    if services is None:
        raise RuntimeError("nod is not running any more, so its record cannot be compared.")
    with psycopg.connect(services.database_url) as db:
        rows = [Row(where, message, status, shown, frozenset(ids)) for where, message, status, shown, ids in db.execute(_ROWS)]
        return rows, [(where, message, person, value) for where, message, person, value in db.execute(_VOTES)]


# ── telling ──


def table(rows: list[dict[str, Any]]) -> str:
    """Write the figures as people read them."""
    names = ("fault", "injected", "accepted", "answered", "apologised", "lost", "duplicated")
    head = [*names, "takeover s, p50 / p95 (answers)"]
    body = [[*(str(row[name]) for name in names), _takeover(row)] for row in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *body])


def _takeover(row: dict[str, Any]) -> str:
    return f"{row['takeover_p50']:.1f} / {row['takeover_p95']:.1f} ({row['takeovers']})" if row["takeovers"] else "–"


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def options() -> argparse.ArgumentParser:
    """Build the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="draws questions, faults and moments (default: a new one, printed)")
    parser.add_argument("--minutes", type=float, default=2.0, help="for how long people ask (default 2; starting and settling come on top)")
    parser.add_argument("--kinds", default=",".join(KINDS), help=f"which faults, with commas (default: all): {', '.join(KINDS)}")
    parser.add_argument("--questions", type=int, help=f"how many are asked (default {QUESTIONS_PER_SECOND} a second)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return parser


def main() -> int:
    """Run what the command line asks for; 1 when a promise was not kept."""
    given = options().parse_args()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))  # leave by the same door, so that nothing stays behind
    kinds = [kind for kind in given.kinds.split(",") if kind]
    if wrong := [kind for kind in kinds if kind not in KINDS]:
        options().error(f"no fault is called {wrong[0]!r}; there are {', '.join(KINDS)}")
    if not kinds or given.minutes <= 0 or (given.questions is not None and given.questions < 1):
        options().error("there must be a fault, a question and some time for them")
    seed, seconds = given.seed if given.seed is not None else secrets.randbelow(1_000_000), given.minutes * 60
    _say(f"seed {seed}")
    folder = Path(tempfile.mkdtemp(prefix="nod-chaos-"))
    try:
        done = run(seed, kinds, seconds, given.questions or max(1, round(QUESTIONS_PER_SECOND * seconds)), folder)
    except (RuntimeError, TimeoutError) as error:
        _say(f"seed {seed}: {error}\nThe logs are in {folder}.")
        return 1
    print(json.dumps(done.as_json(), ensure_ascii=False, indent=2) if given.json else report(done))
    for trouble in done.wrong:
        _say(trouble)
    if done.wrong:
        _say(f"The logs are in {folder}; `make chaos SEED={seed}` draws the same run again.")
        return 1
    shutil.rmtree(folder)
    return 0


def report(done: Run) -> str:
    """Write a run as people read it."""
    lost, doubled, away = (done.counts[name] for name in ("lost", "duplicated", "not accepted"))
    last = f"Seed {done.seed}: {len(done.found)} questions, {done.votes} votes, {len(done.told.faults)} faults in {done.seconds:.0f} s. "
    last += f"Lost {lost}, duplicated {doubled}" + (f", {away} never accepted." if away else ".")
    return f"{table(done.rows())}\n\n{last}"


if __name__ == "__main__":
    sys.exit(main())
