"""The checker of `make chaos` on made-up transcripts: for each promise one that is broken, and what is said of it."""

from dataclasses import replace
from random import Random

import pytest

from benchmarks.faults import KINDS, moments
from benchmarks.people import planned
from benchmarks.promises import (
    ANSWER,
    LONG,
    STOPPED,
    WITHDRAWN,
    Asked,
    Call,
    Fault,
    Row,
    Seen,
    Transcript,
    against_record,
    fates,
    letters_amiss,
    met,
    takeovers,
    troubles,
)

ONE, TWO = "case-1-000", "case-1-001"
THREAD = "slack C1/1.0"


def asked(tag: str, at: float = 0.0, **more: object) -> Asked:
    return replace(Asked(tag, "slack", THREAD, f"ts-{tag}", at), **more)


def shown(tag: str, at: float = 3.0, **more: object) -> Seen:
    text = ANSWER.replace("{tag}", tag)
    return replace(Seen("slack", THREAD, f"re-{tag}", text, "answer", ((at - 1, text[:20]), (at, text))), **more)


def call(*tags: str, at: float = 1.0, **more: object) -> Call:
    return replace(Call(tags, at, at + 1.5), **more)


GOOD = Transcript(
    asked=[asked(ONE), asked(TWO, 4.0)],
    seen=[shown(ONE), shown(TWO, 8.0)],
    calls=[call(ONE), call(ONE, TWO, at=5.0)],
)


def test_a_run_in_which_everything_held_has_no_troubles():
    assert troubles(GOOD) == []
    assert [fate.verdict for fate in fates(GOOD)[0]] == ["answered", "answered"]


BROKEN = {
    "no message": (replace(GOOD, seen=[shown(ONE)]), "lost", f"{TWO} (slack): was accepted and got no message."),
    "taken away": (replace(GOOD, seen=[shown(ONE), shown(TWO, 8.0, is_deleted=True)]), "lost", f"{TWO} (slack): was accepted and got no"),
    "twice": (replace(GOOD, seen=[*GOOD.seen, shown(TWO, 9.0, message_id="other")]), "duplicated", f"{TWO} (slack): has 2 messages"),
    "twice in one message": (
        replace(GOOD, seen=[shown(ONE), shown(TWO, 8.0, text=ANSWER.replace("{tag}", TWO) * 2)]), "duplicated", "shows its answer twice",
    ),
    "still streaming": (replace(GOOD, seen=[shown(ONE), shown(TWO, 8.0, is_streaming=True)]), "lost", "never came to its end"),
    "a placeholder": (replace(GOOD, seen=[shown(ONE), shown(TWO, 8.0, text="문서를 찾고 있어요…", end="")]), "lost", "'문서를 찾고 있어요…'"),
    "cut": (replace(GOOD, seen=[shown(ONE), shown(TWO, 8.0, text=f"Yes ({TWO})")]), "lost", "an answer that is not whole"),
    "somebody else's": (
        replace(GOOD, seen=[shown(ONE), shown(ONE, 8.0, message_id="other", replies_to=f"ts-{TWO}")]), "lost", f"shows the answer to {ONE}",
    ),
    "out of order": (replace(GOOD, seen=[shown(ONE, 9.0), shown(TWO, 8.0)]), "answered", f"{TWO}: was shown before {ONE}"),
    "asked out of order": (replace(GOOD, calls=[call(ONE, at=6.0), call(ONE, TWO, at=5.0)]), "answered", f"{TWO}: the model was asked it"),
    "forgotten": (replace(GOOD, calls=[call(ONE), call(TWO, at=5.0)]), "answered", f"{TWO}: the model was shown the turns [] before it"),
    "run twice": (replace(GOOD, calls=[*GOOD.calls, call(ONE, TWO, at=6.0)]), "answered", "was asked 2 times, with 0 kills"),
    "without the model": (replace(GOOD, calls=[call(ONE)]), "answered", f"{TWO} (slack): was answered without the model."),
    "busy for ever": (replace(GOOD, still_busy=[THREAD]), "answered", f"{THREAD}: the status still says"),
    "a message too many": (
        replace(GOOD, seen=[*GOOD.seen, shown(TWO, 9.0, message_id="other", text="네, 연차", end="")]), "duplicated", "has 2 messages",
    ),
    "a message for nobody": (
        replace(GOOD, seen=[*GOOD.seen, shown(TWO, 9.0, conversation="slack C2/1.0", text="네, 연차")]), "answered", "answers nobody: '네",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("told", "verdict", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_what_does_not_hold_is_said_in_a_sentence(told: Transcript, verdict: str, words: str):
    assert fates(told)[0][1].verdict == verdict
    assert any(words in trouble for trouble in troubles(told)), troubles(told)


def test_a_killed_worker_excuses_one_more_run_and_no_more():
    twice = replace(GOOD, calls=[*GOOD.calls, call(ONE, TWO, at=6.5)], faults=[Fault("worker", 6.0)])
    assert troubles(twice) == []
    assert "3 times, with 1 kills" in troubles(replace(twice, calls=[*twice.calls, call(ONE, TWO, at=7.0)]))[0]
    assert troubles(replace(twice, faults=[Fault("web", 6.0)]))
    assert troubles(replace(twice, faults=[Fault("worker", 9.0)]))  # it was over by then


def test_what_the_model_refused_is_no_run():
    assert troubles(replace(GOOD, calls=[*GOOD.calls, call(ONE, TWO, at=4.5, is_refused=True)])) == []


def test_an_apology_without_a_number_belongs_to_who_has_nothing_yet_and_is_no_turn():
    sorry = shown(ONE, 3.0, text="지금 모델이 작동하지 않아요.", end="apology")
    told = replace(GOOD, seen=[sorry, shown(TWO, 8.0)], calls=[call(ONE), call(TWO, at=5.0)])
    assert [fate.verdict for fate in fates(told)[0]] == ["apologised", "answered"]
    assert troubles(told) == []


def test_what_the_platform_never_brought_to_us_is_not_lost():
    told = replace(GOOD, asked=[asked(ONE), asked(TWO, 4.0, is_accepted=False)], seen=[shown(ONE)], calls=[call(ONE)])
    assert [fate.verdict for fate in fates(told)[0]] == ["answered", "not accepted"]
    assert troubles(told) == []


def direct(tag: str, at: float, **more: object) -> Asked:
    return asked(tag, at, platform="discord", conversation="discord dm-1", form="direct", **more)


def in_direct(tag: str, at: float) -> Seen:
    return shown(tag, at, platform="discord", conversation="discord dm-1")


@pytest.mark.parametrize(
    ("first", "fault", "verdict"),
    [
        (direct(ONE, 1.0), Fault("socket", 0.5), "not accepted"),
        (direct(ONE, 1.0), Fault("worker", 0.5), "lost"),  # whoever dies, the bot heard it
        (direct(ONE, 30.0), Fault("socket", 0.5), "lost"),  # it was back by then
        (asked(ONE, 1.0, platform="discord", conversation="discord 7"), Fault("socket", 0.5), "lost"),  # a channel is read again
        (asked(ONE, 1.0, form="direct"), Fault("socket", 0.5), "lost"),  # Slack sends again what nobody acknowledged
    ],
)
def test_only_the_first_direct_message_in_discord_may_be_missed_while_nobody_is_connected(first: Asked, fault: Fault, verdict: str):
    told = Transcript([first], [], faults=[fault])
    assert [fate.verdict for fate in fates(told)[0]] == [verdict]
    assert bool(troubles(told)) == (verdict == "lost")


def test_a_direct_message_after_an_answered_one_is_lost_when_it_gets_nothing():
    told = Transcript([direct(ONE, 0.0), direct(TWO, 4.0)], [in_direct(ONE, 3.0)], [call(ONE)], [Fault("socket", 3.9)])
    assert [fate.verdict for fate in fates(told)[0]] == ["answered", "lost"]


def test_what_is_in_the_record_was_accepted_whatever_the_platform_says():
    told = replace(GOOD, asked=[asked(ONE, is_accepted=False)], seen=[], calls=[])
    rows = [Row("slack", f"ts-{ONE}", "answered", is_shown=True)]
    assert against_record(fates(told)[0], rows, [], []) == [f"{ONE}: is in the record and got no message."]


# ── questions that are not like the others ──

NEW = "case-1-5000"
WORDS = ANSWER.replace("{tag}", ONE)


def told(way: str, *seen: Seen, faults: tuple[Fault, ...] = (), **more: object) -> Transcript:
    return Transcript([asked(ONE, way=way, turned_at=2.0, **more)], seen, [call(ONE)], faults)


def parts(*texts: str) -> list[Seen]:
    last = len(texts) - 1
    return [shown(ONE, 3.0 + n, message_id=f"part-{n}", text=text, end="answer" if n == last else "") for n, text in enumerate(texts)]


LONG_WORDS = LONG.replace("{tag}", ONE)
HALF = len(LONG_WORDS) // 2
AS_THEY_SHOULD = {
    "stopped": (told("stop", shown(ONE, text=f"{WORDS[:30]}\n{STOPPED[0]}")), "stopped"),
    "stopped in English, in small print": (told("stop", shown(ONE, text=f"{WORDS[:30]}\n-# {STOPPED[1]}")), "stopped"),
    "stopped before a word": (told("stop", shown(ONE, text=WITHDRAWN[0], end="")), "withdrawn"),
    "stopped, unheard": (told("stop", shown(ONE), faults=(Fault("bot-slack", 1.0),)), "answered"),
    "edited": (told("edit", shown(ONE, text=ANSWER.replace("{tag}", NEW)), new_tag=NEW), "answered"),
    "deleted": (told("delete"), "withdrawn"),
    "long": (told("long", *parts(LONG_WORDS[:HALF], LONG_WORDS[HALF:])), "answered"),
    "poison": (told("poison", shown(ONE, text="세 번 실패했어요.", end="apology")), "apologised"),
    "cured": (told("cured", shown(ONE)), "answered"),
}


@pytest.mark.parametrize(("run", "verdict"), AS_THEY_SHOULD.values(), ids=AS_THEY_SHOULD.keys())
def test_who_stops_edits_deletes_or_asks_for_much_gets_what_they_should(run: Transcript, verdict: str):
    assert troubles(run) == []
    assert fates(run)[0][0].verdict == verdict


NOT_AS_THEY_SHOULD = {
    "not stopped": (told("stop", shown(ONE)), "in spite of its stop"),
    "stopped, but it said something else": (told("stop", shown(ONE, text=f"아니요.\n{STOPPED[0]}")), "not whole"),
    "stopped and still streaming": (told("stop", shown(ONE, text=f"{WORDS[:30]}\n{STOPPED[0]}", is_streaming=True)), "never came to its end"),
    "the old text": (told("edit", shown(ONE), new_tag=NEW), "the old text was answered"),
    "both texts": (told("edit", shown(ONE, text=f"{WORDS[:200]} {ANSWER.replace('{tag}', NEW)}"), new_tag=NEW), "shows its answer twice"),
    "not taken away": (told("delete", shown(ONE)), "in spite of its delete"),
    "a part is missing": (told("long", *parts(LONG_WORDS[:HALF], LONG_WORDS[HALF + 40 :])), "not whole"),
    "a part too many": (told("long", *parts(LONG_WORDS, LONG_WORDS)), "shows its answer twice"),
    "poison that is answered": (told("poison", shown(ONE)), "is poison, and was answered"),
    "asked anew in vain": (told("cured", shown(ONE, text="세 번 실패했어요.", end="apology")), "still not answered"),
}  # fmt: skip


@pytest.mark.parametrize(("run", "words"), NOT_AS_THEY_SHOULD.values(), ids=NOT_AS_THEY_SHOULD.keys())
def test_who_does_not_get_it_is_named(run: Transcript, words: str):
    assert any(words in trouble for trouble in troubles(run)), troubles(run)


def test_poison_is_a_dead_letter_and_nobody_else_unless_workers_were_killed_three_times():
    sorry = shown(ONE, text="세 번 실패했어요.", end="apology")
    poison, other = told("poison", sorry), told("", sorry)
    assert letters_amiss(poison, [ONE], []) == letters_amiss(other, [], []) == []
    assert "is no dead letter" in letters_amiss(poison, [], [])[0]
    assert letters_amiss(replace(poison, faults=[Fault("crash", 1.0, ONE)]), [], []) == []  # something else ended it before
    assert "is no dead letter" in letters_amiss(replace(poison, faults=[Fault("crash", 1.0, ONE)] * 3), [], [])[0]
    assert "is still a dead letter" in letters_amiss(poison, [ONE], [ONE])[0]
    assert (
        "for what another question did, after 0 kills" in letters_amiss(replace(other, faults=[Fault("crash", 1.0, TWO)] * 3), [ONE], [])[0]
    )
    assert letters_amiss(replace(other, faults=[Fault("worker", 1.0)] * 3), [ONE], []) == []


VOTE = ("slack", f"ts-{ONE}", "U1", "up")
ROWS = [Row("slack", f"ts-{tag}", "answered", is_shown=True, shown_in=frozenset({f"re-{tag}"})) for tag in (ONE, TWO)]


def test_a_record_that_says_the_same_has_no_troubles():
    assert against_record(fates(GOOD)[0], ROWS, [VOTE], [VOTE]) == []


@pytest.mark.parametrize(
    ("rows", "votes", "words"),
    [
        (ROWS[:1], [VOTE], f"{TWO}: is not in the record."),
        ([ROWS[0], replace(ROWS[1], status="running")], [VOTE], f"{TWO}: is still running in the record."),
        ([ROWS[0], replace(ROWS[1], is_shown=False)], [VOTE], f"{TWO}: is not confirmed as shown"),
        ([ROWS[0], replace(ROWS[1], status="failed")], [VOTE], f"{TWO}: was answered for people, and is failed in the record."),
        ([ROWS[0], replace(ROWS[1], shown_in=frozenset())], [VOTE], f"{TWO}: is shown in ['re-{TWO}'], the record says []."),
        ([*ROWS, replace(ROWS[1], message_id="x")], [VOTE], "a question that nobody asked: slack x."),
        (ROWS, [], "was sent and is not in the record"),
        (ROWS, [VOTE, VOTE], "that nobody gave"),
        (ROWS, [(*VOTE[:3], "down")], "'up') was sent"),
        ([ROWS[0], replace(ROWS[1], is_stopped=True)], [VOTE], f"{TWO}: was answered for people, and the record says that it was stopped"),
    ],
)
def test_a_record_that_differs_is_told(rows, votes, words):
    assert any(words in one for one in against_record(fates(GOOD)[0], rows, votes, [VOTE]))


def test_a_takeover_lasts_from_the_kill_to_the_next_sign_of_life():
    kill = Fault("worker", 2.0)
    again = [Call((ONE,), 1.0, 2.0), Call((ONE,), 5.0, 7.0)]
    growing = shown(ONE, states=((1.5, "네"), (2.2, "네, 연차"), (6.0, "네"), (7.0, "네, 연차는")))
    (fate,) = fates(Transcript([asked(ONE)], [growing], again, [kill]))[0]
    assert takeovers([fate], [kill], ["이어서"]) == [4.0]  # what had been said before the kill is no sign
    told = replace(fate, messages=[replace(growing, states=((4.5, "네\n이어서 답하고 있어요…"), *growing.states))])
    assert takeovers([told], [kill], ["이어서"]) == [2.5]
    assert takeovers([fate], [Fault("worker", 9.0)], ["이어서"]) == []


def test_a_question_met_a_fault_that_came_while_it_was_open_or_just_before():
    (fate,) = fates(replace(GOOD, asked=[asked(ONE, 10.0)], seen=[shown(ONE, 13.0)]))[0]
    assert [bool(met([fate], [Fault("web", at)])) for at in (6.0, 8.0, 12.0, 14.0)] == [False, True, True, False]


def test_the_same_seed_draws_the_same_run_and_each_kind_of_fault_once():
    one, again, other = ((planned(r, 60, 30, 7), moments(r, list(KINDS), 60)) for r in (Random(5), Random(5), Random(6)))
    assert one == again != other
    lines, plan = one
    assert len(lines) == 30
    assert {line.platform for line in lines} == {"slack", "discord"}
    assert any(line.turn for line in lines)
    assert {line.text.isascii() for line in lines} == {True, False}
    assert {moment.kind for moment in plan} == set(KINDS)
