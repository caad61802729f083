"""What the fake model will say: the lines of a test, the benchmark's one answer, and every fault a provider is known for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from tests.fakes.model_rules import Body, Refusal, text_of

# Faults that are an HTTP answer. 429 carries Retry-After only when the line says so.
REFUSALS: dict[str, tuple[int, str, str | None, str]] = {
    "401": (401, "Incorrect API key provided: sk-t****.", "invalid_api_key", "invalid_request_error"),
    "403": (403, "You are not allowed to sample from this model.", "unsupported_country_region_territory", "request_forbidden"),
    "404": (404, "The model `gpt-4o` does not exist or you do not have access to it.", "model_not_found", "invalid_request_error"),
    "429": (429, "Rate limit reached for gpt-4o in organization org-test on requests per min.", "rate_limit_exceeded", "requests"),
    "quota": (429, "You exceeded your current quota, please check your plan.", "insufficient_quota", "insufficient_quota"),
    "500": (500, "The server had an error while processing your request. Sorry about that!", None, "server_error"),
    "503": (503, "The engine is currently overloaded, please try again later.", None, "service_unavailable_error"),
    "529": (529, "Overloaded", None, "overloaded_error"),
    "too_long": (400, "This model's maximum context length is 128000 tokens.", "context_length_exceeded", "invalid_request_error"),
    "filtered_prompt": (400, "The prompt triggered the content management policy.", "content_filter", "invalid_request_error"),
}
# Faults inside a stream that began well (`hang`: before its first byte; `stall` and `cut`: after 15 tokens).
BROKEN_STREAMS = ("hang", "stall", "cut", "empty", "blank", "filtered", "malformed", "broken_arguments", "unknown_tool", "length")
FAULTS = (*REFUSALS, *BROKEN_STREAMS)
SAID_BEFORE_THE_FAULT = "이것은 끝까지 나오지 못하는 답입니다. This answer is cut before it comes to its end, in the middle of a sentence."
FOREVER = -1


@dataclass(slots=True)
class Line:
    """One answer of the model. `when`: only for a conversation whose last user message holds this text."""

    text: str = ""
    calls: list[Body] = field(default_factory=list[Body])
    fault: str = ""
    retry_after: float | None = None
    tokens: int = 0
    first_after: float = 0.0
    every: float = 0.0
    hold_after: int | None = None
    when: str | None = None
    times: int = 1

    def pieces(self) -> list[str]:
        """The text cut into tokens: as many as wanted, else about three characters each."""
        count = min(self.tokens or max(1, len(self.text) // 3), len(self.text))
        edges = [round(len(self.text) * number / count) for number in range(count + 1)] if count else []
        return [self.text[start:end] for start, end in pairwise(edges)]


@dataclass(slots=True)
class Script:
    """The lines still to be said, in order; a line keyed to this conversation goes before an unkeyed one."""

    lines: list[Line] = field(default_factory=list[Line])

    def next(self, asked: str) -> Line | None:
        fitting = [line for line in self.lines if line.when is not None and line.when in asked]
        fitting += [line for line in self.lines if line.when is None]
        if not fitting:
            return None
        line = fitting[0]
        if line.times != FOREVER:
            line.times -= 1
            if not line.times:
                self.lines = [other for other in self.lines if other is not line]
        return line

    def fault_in(self, answer: Line, asked: str) -> Line:
        """A benchmark's answer, going wrong as the next line wants; what a cut answer begins to say is its own text."""
        line = self.next(asked)
        return replace(line, text=line.text or answer.text, first_after=answer.first_after) if line else answer

    def left(self) -> list[str]:
        """What was never said, in words; a fault that lasts for ever is not a line left over."""
        return [line.text or line.fault or str(line.calls) for line in self.lines if line.times != FOREVER]


@dataclass(slots=True)
class Benchmark:
    """One answer to everything: `{tag}` in it becomes what `tag` finds in the question, so that mixed-up answers show."""

    text: str
    tokens: int = 40
    first_after: float = 0.3
    every: float = 0.05
    tool: str = ""
    arguments: Body = field(default_factory=dict[str, Any])
    must_contain: list[str] = field(default_factory=list[str])
    tag: str = r"#[0-9a-z-]+"

    def line(self, body: Body) -> Line:
        asked = last_asked(body)
        if self.wants_tool(body):
            arguments = {key: asked if value == "{question}" else value for key, value in self.arguments.items()}
            return Line(calls=[{"name": self.tool, "arguments": json.dumps(arguments, ensure_ascii=False)}], first_after=self.first_after)
        found = re.search(self.tag, asked)
        text = self.text.replace("{tag}", found.group() if found else "#?")
        return Line(text, tokens=self.tokens, first_after=self.first_after, every=self.every)

    def wants_tool(self, body: Body) -> bool:
        """Whether this step is the one that searches: the tool is offered, not used since the question, and passages are missing."""
        offered = {tool["function"]["name"] for tool in body.get("tools") or []}
        answered = not self.missing(body) if self.must_contain else False
        return self.tool in offered and "tool" not in roles_since_asked(body) and not answered

    def missing(self, body: Body) -> list[str]:
        """Which of the passages are not in the prompt."""
        seen = "\n".join(text_of(message) for message in body["messages"])
        return [marker for marker in self.must_contain if marker not in seen]


def last_asked(body: Body) -> str:
    """The last user message."""
    return next((text_of(message) for message in reversed(body["messages"]) if message["role"] == "user"), "")


def roles_since_asked(body: Body) -> list[str]:
    roles = [message["role"] for message in body["messages"]]
    return roles[len(roles) - roles[::-1].index("user") :] if "user" in roles else roles


def refusal_for(line: Line) -> Refusal:
    status, message, code, kind = REFUSALS[line.fault]
    return Refusal(status, message, None, code, kind, line.retry_after, scripted=True)


def calls_for(line: Line) -> list[tuple[str, str]]:
    """The tool calls of a line as (name, arguments in JSON); two faults are calls gone wrong."""
    if line.fault == "broken_arguments":
        return [("search_knowledge", '{"query": "연차 휴가')]
    if line.fault == "unknown_tool":
        return [("launch_rockets", '{"at": "noon"}')]
    return [(call["name"], call["arguments"]) for call in line.calls]
