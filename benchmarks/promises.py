"""The checker of `make chaos`: what people saw and what the model was asked, held against what nod promises.

Pure functions over a transcript. What the record says is compared at the very end, and is believed in nothing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, takewhile
from typing import Literal

from bot.faces import PHRASES

TAG = r"case-\d+-\d+"
ANSWER = (
    "네, 연차 휴가는 1년에 15일이고 남은 날은 이듬해 3월까지 쓸 수 있어요 ({tag}). 반차는 오전과 오후로 나누어 써요. "
    "Yes, there are 15 days of annual leave a year, and what is left can be used until next March. 문의 번호는 {tag} 입니다."
)
_SENTENCE = (
    "{tag} {n}: 연차 휴가를 쓰려면 사흘 전에 팀에 알리고 신청서를 내요. 급한 일이면 그날 아침에 알려도 괜찮아요. "
    "Ask three days ahead; when it is urgent, on the morning of the day itself."
)
LONG = ANSWER + "".join(f"{' ' if n % 5 else chr(10) * 2}{_SENTENCE.replace('{n}', str(n))}" for n in range(50))  # more than one message
STOPPED = tuple(PHRASES.say("notice.stopped", language) for language in ("ko", "en"))
WITHDRAWN = tuple(PHRASES.say("notice.withdrawn", language) for language in ("ko", "en"))
OPENING = ANSWER.partition(" ({tag}")[0]
KILLS = ("worker", "worker-group", "supervisor", "crash")  # what makes a second run of the agent legitimate
DEAFENING = ("bot-slack", "bot-discord", "bot-one", "supervisor", "postgres-fast", "postgres-immediate", "postgres-away", "socket",
             "socket-silent", "resume-refused")  # fmt: skip  # faults that may keep from nod what somebody does
DEAF_SECONDS = 15.0  # for so long
STRIKES = 3  # after so many a question is given up
SOON_SECONDS = 3.0  # a question asked so soon after a fault counts as met by it
Verdict = Literal["answered", "apologised", "stopped", "withdrawn", "lost", "duplicated", "not accepted"]
Form = Literal["mention", "direct", "command"]
Way = Literal["", "poison", "cured", "long", "stop", "edit", "delete"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as its platform has it; `at` is monotonic seconds, as all times here.

    `way`: what else there is to it. `poison` crashes whoever answers it; `cured`: it did, and was asked anew as a dead letter; `long`
    has an answer over several messages; `stop`, `edit`, `delete`: its asker did so in mid-answer, at `turned_at`.
    """

    tag: str
    platform: str
    conversation: str
    message_id: str
    at: float
    is_accepted: bool = True
    way: Way = ""
    form: Form = "mention"
    turned_at: float = 0.0
    new_tag: str = ""  # the number in its text since it was edited


@dataclass(frozen=True, slots=True)
class Seen:
    """One message of the bot: how it looks now, and each look it had. `end`: what its buttons say it is."""

    platform: str
    conversation: str
    message_id: str
    text: str
    end: Literal["answer", "apology", ""]
    states: tuple[tuple[float, str], ...]
    replies_to: str = ""
    is_streaming: bool = False
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One time the model was asked: when, for which questions (those before it first), and whether it refused."""

    tags: tuple[str, ...]
    started_at: float
    ended_at: float
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """What was done to nod, and when. `crash`: a worker was struck by the question with this number."""

    kind: str
    at: float
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """All that the fake platforms showed and the fake model was asked."""

    asked: Sequence[Asked]
    seen: Sequence[Seen]
    calls: Sequence[Call] = ()
    faults: Sequence[Fault] = ()
    still_busy: Sequence[str] = ()  # conversations whose status still says that nod is at it


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one question."""

    asked: Asked
    verdict: Verdict
    messages: Sequence[Seen] = ()
    calls: Sequence[Call] = ()
    troubles: Sequence[str] = ()

    @property
    def ended_at(self) -> float:
        """When its end was shown; for ever when it was not."""
        if self.verdict not in ("answered", "apologised", "stopped", "withdrawn"):
            return float("inf")
        return max((at for message in self.messages for at, _ in message.states), default=self.asked.turned_at)


@dataclass(frozen=True, slots=True)
class Row:
    """One answer as the record has it."""

    platform: str
    message_id: str
    status: str
    is_shown: bool
    shown_in: frozenset[str] = field(default_factory=frozenset[str])
    is_stopped: bool = False


Vote = tuple[str, str, str, str]  # platform, message of the question, person, value


def is_whole(text: str, tag: str, answer: str = ANSWER) -> bool:
    """Return whether a text holds the model's whole answer to this very question; only white space may differ."""
    wanted = r"\s+".join(re.escape(word) for word in answer.replace("{tag}", tag).split())
    return re.search(wanted, text) is not None


def fates(told: Transcript) -> tuple[list[Fate], list[str]]:
    """Return what became of each question, and sentences about messages that answer nobody."""
    messages, strays = _assigned(told)
    calls: dict[str, list[Call]] = defaultdict(list)
    for call in told.calls:
        calls[call.tags[-1]].append(call)
    untold = _untold(told, messages)
    return [
        _fate(
            replace(asked, is_accepted=asked.is_accepted and asked.tag not in untold), messages[asked.tag],
            [*calls[asked.tag], *(calls[asked.new_tag] if asked.new_tag else ())], told.faults,
        )
        for asked in told.asked
    ], strays  # fmt: skip


def _untold(told: Transcript, messages: Mapping[str, Sequence[Seen]]) -> set[str]:
    """Return the direct messages in Discord of which no bot could learn: the first of somebody whom nod has never answered there.

    Discord sends an event to who is connected, and lists no direct messages to bots; only channels that the record knows are read again.
    """
    untold: set[str] = set()
    for conversation in {asked.conversation for asked in told.asked if (asked.platform, asked.form) == ("discord", "direct")}:
        for asked in takewhile(lambda one: not messages.get(one.tag), _in_order(told.asked, conversation)):
            if _is_deaf(asked.at, told.faults):
                untold.add(asked.tag)
    return untold


def _is_deaf(at: float, faults: Iterable[Fault]) -> bool:
    """Return whether a fault may have kept from nod what somebody did at this moment."""
    return any(fault.kind in DEAFENING and -SOON_SECONDS < at - fault.at < DEAF_SECONDS for fault in faults)


def _assigned(told: Transcript) -> tuple[dict[str, list[Seen]], list[str]]:
    """Find whose each message is: by what it replies to, by the number in it, else the oldest in its conversation without any.

    What is left over then is a second message for the last question before it.
    """
    by_message = {(asked.platform, asked.message_id): asked.tag for asked in told.asked}
    known = {tag: asked.tag for asked in told.asked for tag in (asked.tag, asked.new_tag) if tag}
    found: dict[str, list[Seen]] = defaultdict(list)
    unnamed: list[Seen] = []
    for seen in sorted((one for one in told.seen if not one.is_deleted), key=lambda one: one.states[0][0]):
        named = [known[tag] for tag in re.findall(TAG, seen.text) if tag in known]
        tag = by_message.get((seen.platform, seen.replies_to)) or (named[0] if named else None)
        if tag:
            found[tag].append(seen)
        else:
            unnamed.append(seen)
    strays: list[str] = []
    for seen in unnamed:
        before = [asked.tag for asked in _in_order(told.asked, seen.conversation) if asked.at <= seen.states[0][0]]
        if before:
            found[next((tag for tag in before if not found[tag]), before[-1])].append(seen)
        else:
            strays.append(f"{seen.platform}, {seen.conversation}: a message answers nobody: {seen.text[:80]!r}.")
    return found, strays


def _in_order(asked: Iterable[Asked], conversation: str) -> list[Asked]:
    return sorted((one for one in asked if one.conversation == conversation), key=lambda one: one.at)


def _fate(asked: Asked, messages: Sequence[Seen], calls: Sequence[Call], faults: Sequence[Fault]) -> Fate:
    who = f"{asked.tag} ({asked.platform})"
    verdict, trouble = _verdict(asked, messages)
    troubles = [trouble] if trouble else []
    fate = Fate(asked, verdict, messages, calls)
    kills = sum(fault.kind in KILLS and fault.tag != asked.tag and asked.at <= fault.at <= fate.ended_at for fault in faults)
    runs = sum(not call.is_refused for call in calls)
    if runs > _runs_allowed(asked) + kills:
        troubles.append(f"the model was asked {runs} times, with {kills} kills while it was open")
    if verdict == "answered" and not runs:
        troubles.append("was answered without the model")
    return Fate(asked, verdict, messages, calls, [f"{who}: {one}." for one in (*troubles, *_amiss(fate, faults))])


def _runs_allowed(asked: Asked) -> int:
    """Return how often the model may be asked a question when nobody else is at fault."""
    return {"poison": STRIKES, "cured": STRIKES + 1, "edit": 2}.get(asked.way, 1)


def _amiss(fate: Fate, faults: Sequence[Fault]) -> Iterable[str]:
    """Return what is wrong with how a question ended that is not like the others. Some faults may keep from nod what somebody did."""
    asked, verdict = fate.asked, fate.verdict
    is_heard = not _is_deaf(asked.turned_at, faults)
    if asked.way == "poison" and verdict == "answered":
        yield "is poison, and was answered"
    if asked.way == "cured" and verdict == "apologised":
        yield "was asked anew as a dead letter, and is still not answered"
    if asked.way in ("stop", "delete") and is_heard and verdict == "answered":
        yield f"was answered to its end, in spite of its {asked.way}"
    if asked.way == "edit" and is_heard and verdict == "answered" and asked.new_tag not in fate.messages[0].text:
        yield "was edited, and the old text was answered"


def _verdict(asked: Asked, messages: Sequence[Seen]) -> tuple[Verdict, str]:
    if not messages:
        if asked.way == "delete":
            return "withdrawn", ""
        return ("lost", "was accepted and got no message") if asked.is_accepted else ("not accepted", "")
    if len(messages) > 1 and asked.way != "long":
        return "duplicated", f"has {len(messages)} messages: {', '.join(repr(one.text[:40]) for one in messages)}"
    text, last = "\n".join(message.text for message in messages), messages[-1]
    if text.count(OPENING) > 1:
        return "duplicated", "shows its answer twice"
    if asked.way == "stop" and not last.is_streaming and (verdict := _stopped(asked, text)):
        return verdict, ""
    if any(message.is_streaming for message in messages) or not last.end:
        return "lost", f"never came to its end, it still shows {text[-80:]!r}"
    if len(others := set(re.findall(TAG, text)) - {asked.tag}) and others != {asked.new_tag}:
        return "lost", f"shows the answer to {', '.join(sorted(others))}"
    if last.end == "apology":
        return "apologised", ""
    answer = LONG if asked.way == "long" else ANSWER
    is_there = any(is_whole(text, tag, answer) for tag in (asked.tag, asked.new_tag) if tag)
    return ("answered", "") if is_there else ("lost", f"got an answer that is not whole: {text[:80]!r}")


def _stopped(asked: Asked, text: str) -> Verdict | None:
    """Return how an answer ended that says it was stopped; None when it does not, or what it said is not how the answer begins."""
    words = " ".join(text.split())
    if any(phrase in words for phrase in WITHDRAWN):
        return "withdrawn"
    said = next((words.partition(phrase)[0].rstrip(" -#_") for phrase in STOPPED if phrase in words), None)
    return "stopped" if said and " ".join(ANSWER.replace("{tag}", asked.tag).split()).startswith(said) else None


def troubles(told: Transcript) -> list[str]:
    """Return what does not hold, one sentence each; nothing when all promises are kept."""
    found, strays = fates(told)
    said = [trouble for fate in found for trouble in fate.troubles] + strays
    said += [f"{conversation}: the status still says that nod is at it." for conversation in told.still_busy]
    by_conversation: dict[str, list[Fate]] = defaultdict(list)
    for fate in sorted(found, key=lambda fate: fate.asked.at):
        by_conversation[fate.asked.conversation].append(fate)
    for conversation in by_conversation.values():
        said += _out_of_order([fate for fate in conversation if fate.messages])
        said += _forgotten(conversation)
    return said


def _out_of_order(conversation: Sequence[Fate]) -> Iterable[str]:
    for before, after in pairwise(conversation):
        if before.messages[0].states[0][0] > after.messages[0].states[0][0]:
            yield f"{after.asked.tag}: was shown before {before.asked.tag}, which was asked first in the same conversation."
        if before.calls and after.calls and max(c.started_at for c in before.calls) > min(c.started_at for c in after.calls):
            yield f"{after.asked.tag}: the model was asked it before {before.asked.tag} was done, in the same conversation."


def _forgotten(conversation: Sequence[Fate]) -> Iterable[str]:
    """Compare what the model was told of earlier turns with the answers which people had seen by then."""
    for number, fate in enumerate(conversation):
        expected = [one.asked.tag for one in conversation[:number] if one.verdict in ("answered", "stopped")]
        for call in fate.calls:
            if list(call.tags[:-1]) != expected:
                yield f"{fate.asked.tag}: the model was shown the turns {list(call.tags[:-1])} before it, people had seen {expected}."
                break


def against_record(found: Sequence[Fate], rows: Sequence[Row], votes: Iterable[Vote], sent: Iterable[Vote]) -> list[str]:
    """Return where the record says something else than people saw."""
    by_message = {(row.platform, row.message_id): row for row in rows}
    said: list[str] = []
    for fate in found:
        row = by_message.pop((fate.asked.platform, fate.asked.message_id), None)
        if fate.verdict != "not accepted":
            said += [f"{fate.asked.tag}: {trouble}." for trouble in _differing(fate, row)]
        elif row is not None:
            said.append(f"{fate.asked.tag}: is in the record and got no message.")
    said += [f"the record has a question that nobody asked: {platform} {message}." for platform, message in by_message]
    wanted, kept = Counter(sent), Counter(votes)
    said += [f"the vote {vote} was sent and is not in the record." for vote in wanted - kept]
    return said + [f"the record has a vote {vote} that nobody gave." for vote in kept - wanted]


def letters_amiss(told: Transcript, letters: Sequence[str], left: Sequence[str]) -> list[str]:
    """Return what is wrong with the dead letters: `letters` are the questions given up when all had settled, `left` when they were seen to.

    Who did not crash a worker is only given up when workers ended three times while it was answered, not each time by poison: it is alone
    at the last time.
    """
    said: list[str] = []
    for fate in fates(told)[0]:
        asked, is_letter = fate.asked, fate.asked.tag in letters
        kills = sum(fault.kind in KILLS and fault.kind != "crash" and asked.at <= fault.at <= fate.ended_at for fault in told.faults)
        crashes = sum(fault.kind == "crash" and fault.tag == asked.tag for fault in told.faults)
        if asked.way in ("poison", "cured") and not is_letter and crashes not in range(1, STRIKES):  # else something else ended it before
            said.append(f"{asked.tag}: crashed its worker each time and is no dead letter.")
        others = sum(fault.kind == "crash" and fault.tag != asked.tag and asked.at <= fault.at <= fate.ended_at for fault in told.faults)
        if not asked.way and is_letter and (not kills or kills + others < STRIKES):
            said.append(f"{asked.tag}: was given up for what another question did, after {kills} kills.")
        if asked.way in ("poison", "cured") and asked.tag in left:
            said.append(f"{asked.tag}: was seen to, and is still a dead letter.")
    return said


def _differing(fate: Fate, row: Row | None) -> Iterable[str]:
    if row is None:
        yield "is not in the record"
        return
    if row.status in ("waiting", "running"):
        yield f"is still {row.status} in the record"
    elif not row.is_shown:
        yield "is not confirmed as shown in the record"
    expected = {"answered": "answered", "stopped": "answered", "apologised": "failed", "withdrawn": "withdrawn"}.get(fate.verdict)
    if expected and row.status in ("answered", "failed", "withdrawn") and row.status != expected:
        yield f"was {fate.verdict} for people, and is {row.status} in the record"
    if row.is_stopped != (fate.verdict == "stopped" or (fate.verdict == "withdrawn" and fate.asked.way == "stop")):
        yield f"was {fate.verdict} for people, and the record says that it was {'' if row.is_stopped else 'not '}stopped"
    if row.shown_in != frozenset(message.message_id for message in fate.messages):
        yield f"is shown in {sorted(m.message_id for m in fate.messages)}, the record says {sorted(row.shown_in)}"


# ── figures ──


def met(found: Iterable[Fate], faults: Iterable[Fault]) -> list[Fate]:
    """Return the questions that were open at one of these faults, or asked soon after it."""
    return [fate for fate in found if any(fate.asked.at - SOON_SECONDS <= fault.at <= fate.ended_at for fault in faults)]


def takeovers(found: Iterable[Fate], faults: Iterable[Fault], continuing: Sequence[str]) -> list[float]:
    """Return, for each answer that a kill interrupted, the seconds to its next visible sign of life.

    Interrupted: the model was asked before the kill and again after it. A sign: the words that it goes on, or any change after that.
    """
    seconds: list[float] = []
    for fault in faults:
        for fate in found:
            again = [call.started_at for call in fate.calls if call.started_at > fault.at]
            if again and any(call.started_at < fault.at <= call.ended_at + 1.0 for call in fate.calls):
                states = [state for message in fate.messages for state in message.states if state[0] > fault.at]
                signs = [at for at, text in states if at >= again[0] or any(words in text for words in continuing)]
                seconds += [min(signs) - fault.at] if signs else []
    return seconds
