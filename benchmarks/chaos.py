"""`make chaos`: people ask while everything breaks; then it is counted what they got, from the fake platforms alone.

The fakes of Slack, Discord and the model are processes of their own, nod is a whole `nod up`. Questions, faults and their moments
are drawn from the seed that is printed; the same seed draws them again. Exits with 1 when a promise was not kept.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from threading import Thread

import psycopg

from benchmarks.faults import ALL_KINDS, KINDS, Stage, inject, moments
from benchmarks.home import Home
from benchmarks.people import People, planned, poisonous
from benchmarks.poison import MOST, Poison
from benchmarks.promises import (
    TAG,
    Fate,
    Fault,
    Row,
    Transcript,
    Vote,
    against_record,
    fates,
    letters_amiss,
    troubles,
)
from benchmarks.report import Run, report
from benchmarks.seen import calls_from
from benchmarks.stacks import wait_for
from nod.folder import DataFolder
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack

SETTLE_SECONDS = 120.0  # after the last fault nothing may be open longer than this
QUIET_SECONDS = 3.0  # a second answer would come now
QUESTIONS_PER_SECOND = 1.5
LONG_MINUTES = 10.0  # from here on faults that take minutes happen, too
DOUBLED_MINUTES = 2.0  # from here on there are two bots of each platform

_ROWS = """
    SELECT q.platform, q.message_id, a.status, a.shown_at IS NOT NULL,
           array(SELECT m.message_id FROM answer_messages m WHERE m.answer_id = a.answer_id AND m.shown_to IS NULL),
           a.stopped_at IS NOT NULL
      FROM answers a JOIN questions q USING (question_id) WHERE q.platform IN ('slack', 'discord') AND a.superseded_at IS NULL"""
_VOTES = """
    SELECT q.platform, q.message_id, p.external_id, v.value FROM votes v JOIN answers a USING (answer_id)
      JOIN questions q USING (question_id) JOIN persons p ON p.person_id = v.person_id WHERE v.value IS NOT NULL"""


def run(seed: int, kinds: list[str], seconds: float, questions: int, folder: Path, *, is_doubled: bool, is_calm: bool = False) -> Run:
    """Start everything, let people ask while it breaks, wait until nothing is open, and check. `is_calm`: nothing breaks."""
    began, random = time.monotonic(), Random(seed)
    lines, plan = planned(random, seconds, questions, seed % 1000), moments(random, kinds, seconds)
    spare = poisonous(random, MOST, seed % 1000, len(lines))
    model = FakeModel()
    try:
        with FakeSlack() as slack, FakeDiscord() as discord:
            tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token, "SLACK_API_URL": slack.url}
            tokens |= {"DISCORD_TOKEN": discord.token, "DISCORD_API_URL": discord.url} | model.env
            home = Home(folder, tokens, lambda: _is_connected(slack, discord), is_doubled)
            people = People(slack, discord, lines, model, spare)
            stage = Stage(home, slack, discord, model, people, Poison(home, model), seconds, is_calm)
            slack.timing(ack_seconds=1.5, retry_seconds=[0, 2, 4, 8, 16, 16, 16])  # sooner than in life, for as long as a restart takes
            stage.speak()
            try:
                home.start()
                told, letters, left = broken(stage, lambda: inject(stage, plan, _say))
                found, wrong = judged(told, home, stage.people.voted)
            finally:
                stage.poison.end()
                home.stop()
    finally:
        model.stop()
    return Run(seed, time.monotonic() - began, told, found, wrong + letters_amiss(told, letters, left), len(stage.people.voted), letters)


def _is_connected(slack: FakeSlack, discord: FakeDiscord) -> bool:
    return bool(slack.connections()) and any(one["session"] for one in discord.connections()) and bool(discord.commands())


def broken(stage: Stage, break_all: Callable[[], list[Fault]]) -> tuple[Transcript, list[str], list[str]]:
    """Let people ask while things break; return what there is to see when all has settled, and the dead letters before and after."""
    people = stage.people
    people.meet()
    asking = Thread(target=people.run, daemon=True)
    asking.start()
    faults = break_all()
    wait_for(lambda: _is_given_up(people), SETTLE_SECONDS)
    stage.mend()
    people.over.wait(SETTLE_SECONDS)
    if people.error:
        raise RuntimeError(f"the people stopped asking: {people.error!r}") from people.error
    _say(f"{len(people.asked)} questions asked, waiting until nothing is open")
    wait_for(lambda: _is_settled(people, faults), SETTLE_SECONDS)
    letters, left = _see_to_letters(stage) if stage.poison.ways else ([], [])
    people.vote()
    time.sleep(QUIET_SECONDS)
    sight = people.sight
    faults = sorted([*faults, *stage.poison.crashes], key=lambda fault: fault.at)
    seen = sight.seen()
    return Transcript(sight.questions(people.asked.values()), seen, calls_from(stage.model), faults, sight.still_busy()), letters, left


def _is_given_up(people: People) -> bool:
    """Return whether each poisonous question has its apology."""
    poison = [asked for asked in list(people.asked.values()) if asked.way == "poison"]
    return all(any(one.end == "apology" for one in people.sight.answers_to(asked)) for asked in poison)


def _is_settled(people: People, faults: Sequence[Fault]) -> bool:
    """Return whether, as people see it, nothing is open any more: each question heard has its end."""
    asked = list(people.asked.values())
    if people.sight.is_any_waiting(asked):
        return False
    found, _ = fates(Transcript(people.sight.questions(asked), people.sight.seen(), faults=faults))
    return all(fate.verdict != "lost" for fate in found)


def _see_to_letters(stage: Stage) -> tuple[list[str], list[str]]:
    """Ask every other poison anew, which is cured by now, and drop the rest; return all dead letters before it and after."""
    people, letters = stage.people, _letters(stage.home)
    for number, tag in enumerate(tag for tag in stage.poison.ways if tag in letters):
        is_retried = number % 2 == 0
        stage.home.run("dead", "retry" if is_retried else "drop", letters[tag])
        if is_retried:
            people.asked[tag] = replace(people.asked[tag], way="cured")
    cured = [asked for asked in people.asked.values() if asked.way == "cured"]
    wait_for(lambda: all(any(one.end == "answer" for one in people.sight.answers_to(asked)) for asked in cured), SETTLE_SECONDS)
    return list(letters), list(_letters(stage.home))


def _letters(home: Home) -> dict[str, str]:
    """Return what `nod dead list` lists: the codes by the numbers of their questions."""
    return {(re.findall(TAG, letter["question"] or "") or [letter["code"]])[-1]: letter["code"] for letter in home.run("dead", "list")}


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
        rows = [
            Row(where, message, status, shown, frozenset(ids), stopped) for where, message, status, shown, ids, stopped in db.execute(_ROWS)
        ]
        return rows, [(where, message, person, value) for where, message, person, value in db.execute(_VOTES)]


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def options() -> argparse.ArgumentParser:
    """Build the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="draws questions, faults and moments (default: a new one, printed)")
    parser.add_argument("--minutes", type=float, default=2.0, help="for how long people ask (default 2; starting and settling come on top)")
    most = f"(default: all; those that take minutes, the last {len(ALL_KINDS) - len(KINDS)}, from {LONG_MINUTES:.0f} minutes on)"
    parser.add_argument("--kinds", help=f"which faults, with commas {most}: {', '.join(ALL_KINDS)}")
    doubled = f"two workers, and a second bot of each platform for the whole run (default: from {DOUBLED_MINUTES:.0f} minutes on)"
    parser.add_argument("--two-bots", action=argparse.BooleanOptionalAction, help=doubled)
    parser.add_argument("--calm", action="store_true", help="ask the same questions while nothing breaks, to compare")
    parser.add_argument("--questions", type=int, help=f"how many are asked (default {QUESTIONS_PER_SECOND} a second)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return parser


def main() -> int:
    """Run what the command line asks for; 1 when a promise was not kept."""
    given = options().parse_args()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))  # leave by the same door, so that nothing stays behind
    is_doubled = given.minutes >= DOUBLED_MINUTES if given.two_bots is None else given.two_bots
    usual = KINDS if given.minutes < LONG_MINUTES else {kind: act for kind, act in ALL_KINDS.items() if is_doubled or kind != "bot-one"}
    kinds = [kind for kind in given.kinds.split(",") if kind] if given.kinds is not None else list(usual)
    if wrong := [kind for kind in kinds if kind not in ALL_KINDS]:
        options().error(f"no fault is called {wrong[0]!r}; there are {', '.join(ALL_KINDS)}")
    if not kinds or given.minutes <= 0 or (given.questions is not None and given.questions < 1):
        options().error("there must be a fault, a question and some time for them")
    seed, seconds = given.seed if given.seed is not None else secrets.randbelow(1_000_000), given.minutes * 60
    _say(f"seed {seed}")
    folder = Path(tempfile.mkdtemp(prefix="nod-chaos-"))
    try:
        questions = given.questions or max(1, round(QUESTIONS_PER_SECOND * seconds))
        done = run(seed, kinds, seconds, questions, folder, is_doubled=is_doubled, is_calm=given.calm)
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


if __name__ == "__main__":
    sys.exit(main())
