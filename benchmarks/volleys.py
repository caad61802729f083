"""Volleys of mentions, and what became of each: seen when, complete when, doubled, cut or never answered."""

from __future__ import annotations

import math
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.fields import Field, Shot, Shown
from tests.fakes.model import Call, FakeModel

CHANNELS = 50
QUESTION = "@nod 연차 휴가는 며칠이고 언제까지 쓸 수 있나요? ({tag})"
OPENING = "네,"  # in the first token, and in no question, passage or phrase
ANSWER = (
    "네, 연차 휴가는 1년에 15일이며, 남은 날은 이듬해 3월까지 쓸 수 있습니다. 반차는 오전과 오후로 나누어 쓸 수 있고, "
    "신청은 하루 전까지 하면 됩니다. "
    "급한 일이 있으면 그날 아침에 알려 주셔도 괜찮습니다. 남은 날수는 인사 화면에서 볼 수 있습니다. 문의 번호는 {tag} 입니다."
)
FIRST_SENTENCE = ANSWER.partition(". ")[0]
TAG = r"case-\d+-\d+"
TOKENS, FIRST_AFTER_SECONDS, EVERY_SECONDS = 40, 0.3, 0.05


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one mention got; seconds are over the model's own time, None for what never came."""

    tag: str
    first_sign: float | None
    first_text: float | None
    complete: float | None
    verdict: str  # answered, missing, doubled, incomplete, uncalled
    model_calls: int


@dataclass(frozen=True, slots=True)
class Volley:
    """Mentions that belong together: `at` is when each is sent, in seconds from the start; with or without the platform's rate limits.

    The model's first token comes after `first_after` seconds, each further one `every` seconds later.
    """

    name: str
    at: tuple[float, ...]
    one_after_another: bool = False
    channels: int = CHANNELS
    people: int = 10_000
    has_limits: bool = False
    first_after: float = FIRST_AFTER_SECONDS
    every: float = EVERY_SECONDS
    patience_seconds: float = 90.0

    @property
    def own_seconds(self) -> float:
        """How long the model itself takes for an answer."""
        return self.first_after + (TOKENS - 1) * self.every


def volleys(singles: int = 20) -> dict[str, Volley]:
    """Every volley there is, by name."""
    return {
        "one": Volley(f"1 ({singles} times)", (0.0,) * singles, one_after_another=True),
        "50": Volley("50 at once", (0.0,) * 50),
        "200": Volley("200 at once", (0.0,) * 200),
        "spread": Volley("200 over 10 s", tuple(number * 10 / 200 for number in range(200))),
        "500": Volley("500 at once", (0.0,) * 500),
        "flight": Volley("500 in flight", tuple(number * 20 / 500 for number in range(500)), first_after=2.0, every=0.7),
        "flood": Volley("10,000 over 60 s", tuple(number * 60 / 10_000 for number in range(10_000)), people=500, patience_seconds=900.0),
        "limits": Volley("50 over 10 channels, limits on", (0.0,) * 50, channels=10, has_limits=True),
    }


@dataclass(slots=True)
class Range:
    """Where volleys are fired: a fake platform and a fake model, and a number for each volley."""

    field: Field
    model: FakeModel
    fired: int = 0

    def fire(self, volley: Volley, check: Callable[[], None]) -> list[Outcome]:
        """Send the mentions, wait for the end of all answers, and tell what became of each."""
        self.fired += 1
        shots = [self._shot(number, volley) for number in range(len(volley.at))]
        known = self.model.state()["calls"]
        if volley.one_after_another:
            seen = [done for shot in shots for done in self._fired([shot], check, volley)]
        else:
            seen = self._fired(shots, check, volley)
        time.sleep(1.0)  # a second answer would come now
        replies = self.field.replies(seen)
        calls = calls_by_tag(self.model.calls_from(known))
        by_text = {shot["text"].split("(")[-1].rstrip(")"): shot for shot in seen}
        return [outcome_of(tag, shot, replies.get(shot["ts"], ()), calls.get(tag, [])) for tag, shot in by_text.items()]

    def _shot(self, number: int, volley: Volley) -> Shot:
        tag = f"case-{self.fired}-{number:03d}"
        channel, user = f"C{number % volley.channels + 1:03d}", f"U{number % volley.people + 1:04d}"
        return {"text": QUESTION.format(tag=tag), "channel": channel, "user": user, "at": volley.at[number]}

    def _fired(self, shots: Sequence[Shot], check: Callable[[], None], volley: Volley) -> list[Shot]:
        self.field.shoot(shots)
        time.sleep(max(shot["at"] for shot in shots) + volley.own_seconds)
        deadline = time.monotonic() + volley.patience_seconds
        while True:
            check()
            seen = self.field.seen()
            waiting = [shot for shot in seen if shot["streaming"] or not any(is_whole(text) for text in shot["shown"])]
            if (len(seen) == len(shots) and not waiting) or time.monotonic() > deadline:
                return seen
            time.sleep(0.2 if len(shots) == 1 else 0.5 if len(shots) <= 500 else 10.0)


def is_whole(shown: str, tag: str = TAG) -> bool:
    """Whether a shown text holds the whole answer, down to its last words; only white space may differ."""
    wanted = r"\s+".join(re.escape(word) if word != "{tag}" else tag for word in ANSWER.split())
    return re.search(wanted, shown) is not None


def calls_by_tag(calls: Iterable[Call]) -> dict[str, list[Call]]:
    """Find the calls of each question by the tag in its last user message."""
    found: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        tags = [tag for message in call.messages if message["role"] == "user" for tag in re.findall(TAG, str(message.get("content")))]
        if tags:
            found[tags[-1]].append(call)
    return found


def outcome_of(tag: str, shot: Shot, replies: Sequence[Shown], calls: Sequence[Call]) -> Outcome:
    """Judge what one mention got: a pure function of what people saw and of what the model was asked."""
    states = sorted((state for message in replies for state in message.states), key=lambda state: state["mono"])
    standing = [message for message in replies if not message.deleted and OPENING in message.shown]
    answers = [call for call in calls if call.streamed and call.said]
    before = [call for call in calls if call not in answers and (not answers or call.started_at <= answers[0].started_at)]
    own_before = sum(call.own_seconds for call in before)  # of the call that writes the question in the other language, too
    own_first = own_before + (answers[0].own_first_seconds if answers else 0.0)
    own_whole = own_before + (answers[0].own_seconds if answers else 0.0)
    first_text = next((state["mono"] for state in states if OPENING in state["shown"]), None)
    whole = next((state["mono"] for state in states if is_whole(state["shown"], tag)), None)
    return Outcome(
        tag,
        _over(shot["first_sign"], shot["sent"]),
        _over(first_text, shot["sent"] + own_first),
        _over(whole, shot["sent"] + own_whole),
        _verdict(tag, standing, answers),
        len(answers),
    )


def _verdict(tag: str, standing: Sequence[Shown], answers: Sequence[Call]) -> str:
    if not standing:
        return "missing"
    if len(standing) > 1 or standing[0].shown.count(FIRST_SENTENCE) > 1:
        return "doubled"
    if standing[0].streaming or not is_whole(standing[0].shown, tag):
        return "incomplete"
    return "answered" if answers else "uncalled"


def _over(moment: float | None, since: float) -> float | None:
    return None if moment is None else moment - since


def percentile(values: Iterable[float | None], share: float) -> float | None:
    """Return the nearest-rank percentile of what came; None when nothing did."""
    known = sorted(value for value in values if value is not None)
    return known[max(0, math.ceil(share * len(known)) - 1)] if known else None
