"""The fake model as a test speaks of it: what it will say, what it was shown, and whether that was all.

    with FakeModel() as agent:
        agent.will_say("15일입니다.")
        ...                                  # the client under test gets agent.env
        assert agent.shown[-1] == ["휴가 며칠 남았어?"]

Leaving the block fails when the model ran out of lines, has lines left, or was sent what OpenAI would refuse.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from tests.fakes.model_rules import text_of
from tests.fakes.model_script import FAULTS, FOREVER
from tests.fakes.process import start

__all__ = ["FAULTS", "FOREVER", "Call", "FakeModel"]

Message = dict[str, Any]
KEY = "sk-test-0000000000000000000000000000000000000000"


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the model saw it, and how it went; times are seconds since the epoch."""

    number: int
    path: str
    body: dict[str, Any]
    started_at: float
    peer: int
    status: int
    error: str
    broke_a_rule: bool
    said: str
    finish_reason: str
    tokens: int
    first_token_at: float | None
    last_token_at: float | None
    ended_at: float | None
    disconnected: bool
    holding: bool
    own_first_seconds: float
    own_seconds: float

    @property
    def streamed(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def messages(self) -> list[Message]:
        return self.body.get("messages", [])

    @property
    def tools(self) -> list[str]:
        """The names of the tools that were offered."""
        return [tool["function"]["name"] for tool in self.body.get("tools", [])]

    @property
    def texts(self) -> list[str]:
        """What people and the model said, without instructions and tools."""
        return [text for message in self.messages if message["role"] in {"user", "assistant"} and (text := text_of(message))]


class FakeModel:
    """A language model of one's own, in its own process."""

    def __init__(self) -> None:
        self.process = start("tests.fakes.model_server")
        self.url: str = self.process.info["url"]
        self._http = httpx.Client(base_url=self.process.info["control"], timeout=10, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if error is None:
                self.check()
        finally:
            self.stop()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def env(self) -> dict[str, str]:
        """The environment that leads a client here."""
        return {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": self.url}

    def stop(self) -> None:
        self._http.close()
        self.process.stop()

    # What it will say. Each streamed call takes the next line; `when` keeps a line for the conversation whose last user
    # message holds that text.

    def will_say(self, *texts: str, when: str | None = None) -> None:
        """Say each text at once, one per call."""
        self._lines([{"text": text} for text in texts], when)

    def will_stream(
        self,
        text: str,
        *,
        tokens: int = 0,
        first_after: float = 0.0,
        every: float = 0.0,
        hold_after: int | None = None,
        when: str | None = None,
        times: int = 1,
    ) -> None:
        """Say a text in time, so many times or FOREVER; with `hold_after` stand still after so many tokens until `go_on`."""
        line = {"text": text, "tokens": tokens, "first_after": first_after, "every": every, "hold_after": hold_after, "times": times}
        self._lines([line], when)

    def will_call(
        self,
        tool: str,
        arguments: dict[str, Any] | None = None,
        *,
        saying: str = "",
        also: Sequence[tuple[str, dict[str, Any]]] = (),
        when: str | None = None,
    ) -> None:
        """Ask for a tool; `also` asks for others in the same step, `saying` is said before."""
        calls = [{"name": name, "arguments": json.dumps(given, ensure_ascii=False)} for name, given in [(tool, arguments or {}), *also]]
        self._lines([{"text": saying, "calls": calls}], when)

    def will_fail(
        self, kind: str, *, times: int = 1, retry_after: float | None = None, text: str = "", streamed: bool = True, when: str | None = None
    ) -> None:
        """Go wrong (see FAULTS) so many times, or FOREVER until `recovers`; `text` is what a cut answer begins to say."""
        if kind not in FAULTS:
            raise ValueError(f"no fault is called {kind!r}; there are {', '.join(FAULTS)}")
        line = {"fault": kind, "times": times, "retry_after": retry_after, "text": text}
        self._lines([line], when, "lines" if streamed else "writes")

    def will_write(self, *texts: str, when: str | None = None) -> None:
        """Answer calls that are not streamed: titles, rewriting, checks."""
        self._lines([{"text": text} for text in texts], when, "writes")

    def writes(self, text: str | None) -> None:
        """Set what unscripted calls get that are not streamed (at first ""); None refuses them with 404."""
        self._post("settings", {"default_write": text})

    def recovers(self) -> None:
        """Forget the faults not yet played."""
        self._post("recover")

    def go_on(self) -> None:
        """Let streams go on that stand still."""
        self._post("go_on")

    def reads_at_most(self, characters: int) -> None:
        """Refuse longer prompts with 400 context_length_exceeded."""
        self._post("settings", {"limit_characters": characters})

    def embeds(self, *, status: int = 200, after: float = 0.0, size: int | None = None, most_characters: int = 8192 * 4) -> None:
        """Give vectors of so many numbers, after so many seconds, for texts up to so long; with another status than 200 none."""
        given = {"embed_status": status, "embed_after": after, "embed_size": size, "embed_characters": most_characters}
        self._post("settings", given)

    @property
    def embedded(self) -> list[list[str]]:
        """The texts of each call for vectors."""
        return [call.body["input"] for call in self.calls if call.path == "/v1/embeddings"]

    def offers(self, *models: str) -> None:
        """Know these models and no others."""
        self._post("settings", {"models": list(models)})

    def benchmarks(
        self,
        text: str,
        *,
        tokens: int = 40,
        first_after: float = 0.3,
        every: float = 0.05,
        tool: str = "",
        arguments: dict[str, Any] | None = None,
        must_contain: Sequence[str] = (),
        tag: str = r"#[0-9a-z-]+",
    ) -> None:
        """Answer every question with one text, in time; `{tag}` in it becomes what the pattern `tag` finds in the question.

        Prompts without each of `must_contain` are counted as violations. With `tool` an answer takes that call first when
        it is offered and the passages are not there yet ("{question}" in its arguments becomes the question).
        """
        self._post(
            "benchmark",
            {
                "text": text,
                "tokens": tokens,
                "first_after": first_after,
                "every": every,
                "tool": tool,
                "arguments": arguments or {},
                "must_contain": list(must_contain),
                "tag": tag,
            },
        )

    # What happened.

    @property
    def calls(self) -> list[Call]:
        """Every request so far, refused ones too."""
        return self.calls_from(0)

    def calls_from(self, first: int) -> list[Call]:
        return [Call(**call) for call in self._post("calls", {"first": first})]

    @property
    def prompts(self) -> list[list[Message]]:
        """The messages of each streamed call, as the model saw them."""
        return [call.messages for call in self.calls if call.streamed]

    @property
    def shown(self) -> list[list[str]]:
        """What people and the model had said, for each streamed call: no instructions, no tools."""
        return [call.texts for call in self.calls if call.streamed]

    @property
    def refusals(self) -> list[str]:
        """What it refused, scripted or not, each with its status."""
        return self.state()["refusals"]

    @property
    def violations(self) -> list[str]:
        """Benchmark prompts without the passages."""
        return self.state()["violations"]

    def state(self) -> dict[str, Any]:
        return self._post("state")

    def until_called(self, times: int = 1, within: float = 10.0) -> None:
        """Wait until it has been asked so many times."""
        self._until(lambda: self.state()["calls"] >= times, f"{times} calls", within)

    def until_said(self, tokens: int, within: float = 10.0) -> None:
        """Wait until an answer still running has said so many tokens."""
        self._until(lambda: any(one["tokens"] >= tokens for one in self.state()["open"]), f"{tokens} tokens", within)

    def until_holding(self, within: float = 10.0) -> None:
        """Wait until a stream stands still at its `hold_after`."""
        self._until(lambda: any(one["holding"] for one in self.state()["open"]), "a stream that stands still", within)

    def until_quiet(self, within: float = 10.0) -> None:
        """Wait until no call is running."""
        self._until(lambda: not self.state()["open"], "the end of all calls", within)

    def check(self) -> None:
        """Fail when the script did not fit what was asked, or a request broke OpenAI's rules."""
        state = self.state()
        assert not state["ran_out"], f"the model had no line for {state['ran_out']}"
        assert not state["left"], f"the model was never asked for {state['left']}"
        assert not state["rules_broken"], f"the model was sent what OpenAI refuses: {state['rules_broken']}"

    def reset(self) -> None:
        """Begin again: no lines, no calls, all settings as at first."""
        self._post("reset")

    def _lines(self, lines: list[dict[str, Any]], when: str | None, kind: str = "lines") -> None:
        self._post(kind, [{**line, "when": when} for line in lines])

    def _post(self, word: str, body: Any = None) -> Any:
        answer = self._http.post(f"/{word}", json=body or {})
        answer.raise_for_status()
        return answer.json()

    def _until(self, is_so: Callable[[], bool], what: str, within: float) -> None:
        deadline = time.monotonic() + within
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"the model waited {within} s for {what}: {self.state()}")
            time.sleep(0.01)
