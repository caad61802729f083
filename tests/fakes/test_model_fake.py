"""The fake model, held to its word with the bare official client and with LangChain's."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from openai import AsyncOpenAI
from pydantic import SecretStr

from tests.fakes.model import FAULTS, FOREVER, KEY, FakeModel
from tests.fakes.model_server import MODELS

ASKED = [{"role": "user", "content": "휴가 며칠 남았어?"}]
SEARCH = {
    "type": "function",
    "function": {
        "name": "search_knowledge",
        "description": "Search what the team knows.",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
    },
}
CALLED = {"id": "call_1", "type": "function", "function": {"name": "search_knowledge", "arguments": "{}"}}


@pytest.fixture
def agent(model_process: FakeModel) -> Iterator[FakeModel]:
    """The model, whose script these tests may leave unread."""
    model_process.reset()
    yield model_process
    model_process.reset()


@pytest.fixture
async def client(agent: FakeModel) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key=KEY, base_url=agent.url, max_retries=0, timeout=5) as client:
        yield client


@pytest.fixture
async def chat(agent: FakeModel) -> AsyncIterator[ChatOpenAI]:
    # The transport is ours to close: LangChain caches its own for the life of the process.
    async with httpx.AsyncClient() as http:
        yield ChatOpenAI(
            model="gpt-4o",
            api_key=SecretStr(KEY),
            base_url=agent.url,
            max_retries=0,
            http_async_client=http,
            streaming=True,
            stream_usage=True,
        )


async def said(client: AsyncOpenAI, messages: list[dict[str, Any]] = ASKED, **more: Any) -> str:
    stream = await client.chat.completions.create(model="gpt-4o", messages=messages, stream=True, **more)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])


async def test_each_streamed_call_takes_the_next_line(agent, client):
    agent.will_say("15일입니다.", "네, 반차도 됩니다.")
    first = await said(client)
    again = [*ASKED, {"role": "assistant", "content": first}, {"role": "user", "content": "반차도 돼?"}]
    assert await said(client, [{"role": "system", "content": "You are nod."}, *again]) == "네, 반차도 됩니다."
    assert agent.shown[-1] == ["휴가 며칠 남았어?", "15일입니다.", "반차도 돼?"]
    assert agent.prompts[-1][0] == {"role": "system", "content": "You are nod."}
    agent.check()


async def test_an_answer_comes_in_tokens_and_in_time(agent, client):
    agent.will_stream("하나 둘 셋 넷 다섯 여섯 일곱 여덟", tokens=8, first_after=0.2, every=0.05)
    begun, times = time.monotonic(), []
    async for chunk in await client.chat.completions.create(
        model="gpt-4o", messages=ASKED, stream=True, stream_options={"include_usage": True}
    ):
        if chunk.choices and chunk.choices[0].delta.content:
            times.append(time.monotonic() - begun)
    assert len(times) == 8
    assert times[0] >= 0.2
    assert times[-1] >= 0.2 + 7 * 0.05
    assert chunk.usage is not None
    assert chunk.usage.completion_tokens == 8
    [call] = agent.calls
    assert (call.tokens, call.streamed, call.disconnected) == (8, True, False)
    assert call.last_token_at - call.first_token_at >= 0.3
    assert call.own_seconds == pytest.approx(0.55)


async def test_lines_kept_for_a_conversation_wait_for_it(agent, client):
    agent.will_say("휴가 이야기", when="휴가")
    agent.will_say("아무 이야기")
    agent.will_say("expense talk", when="expense")
    asked = ["How do I file an expense?", "점심 뭐 먹지?", "휴가 며칠?"]
    answers = await asyncio.gather(*(said(client, [{"role": "user", "content": text}]) for text in asked))
    assert answers == ["expense talk", "아무 이야기", "휴가 이야기"]
    agent.check()


async def test_running_out_of_lines_is_remembered(agent, client):
    with pytest.raises(openai.InternalServerError, match="no line") as caught:
        await said(client)
    assert caught.value.code == "script_exhausted"
    with pytest.raises(AssertionError, match="휴가 며칠 남았어"):
        agent.check()


def test_lines_left_over_fail_the_check(agent):
    agent.will_say("안녕")
    with pytest.raises(AssertionError, match=r"never asked for.*안녕"):
        agent.check()


async def test_a_broken_rule_fails_the_check_even_when_the_client_shrugs_it_off(agent, client):
    with pytest.raises(openai.BadRequestError):
        await said(client, [{"role": "user", "content": None}])
    with pytest.raises(AssertionError, match="OpenAI refuses"):
        agent.check()


def test_leaving_the_block_checks_and_ends_the_process():
    with pytest.raises(AssertionError, match="never asked"), FakeModel() as fake:
        fake.will_say("혼잣말")
    assert fake.process.child.returncode == 0


async def test_calls_that_are_not_streamed_are_scripted_apart(agent, client):
    async def write() -> str | None:
        return (await client.chat.completions.create(model="gpt-4o-mini", messages=ASKED)).choices[0].message.content

    agent.will_say("본답")
    agent.will_write("휴가 일수")
    assert await write() == "휴가 일수"
    assert await write() == ""
    agent.writes("제목")
    assert await write() == "제목"
    agent.writes(None)
    with pytest.raises(openai.NotFoundError):
        await write()
    assert agent.shown == []
    assert await said(client) == "본답"
    agent.check()


async def test_a_stream_stands_still_until_told_to_go_on(agent, client):
    agent.will_stream("가나다라마바사아자차", tokens=10, hold_after=4)
    answer = asyncio.create_task(said(client))
    await asyncio.to_thread(agent.until_holding)
    assert agent.state()["open"][0]["tokens"] == 4
    assert not answer.done()
    agent.go_on()
    assert await answer == "가나다라마바사아자차"


async def test_a_client_that_hangs_up_is_noticed(agent, client):
    agent.will_stream("가나다라마바사아자차", tokens=10, hold_after=4)
    answer = asyncio.create_task(said(client))
    await asyncio.to_thread(agent.until_holding)
    answer.cancel()
    await asyncio.to_thread(agent.until_quiet)
    [call] = agent.calls
    assert (call.disconnected, call.tokens) == (True, 4)


async def test_langchain_streams_text_and_tools_over_chat_completions(agent, chat):
    @tool
    def search_knowledge(query: str) -> str:
        """Search what the team knows."""
        return query

    @tool
    def calculate(expression: str, digits: list[int] | None = None) -> str:
        """Calculate."""
        return expression

    agent.will_call("search_knowledge", {"query": "연차 휴가"}, saying="찾아볼게요. ", also=[("calculate", {"expression": "15-3"})])
    agent.will_say("12일 남았습니다.")
    bound, asked = chat.bind_tools([search_knowledge, calculate]), HumanMessage("휴가 며칠 남았어?")
    step = await gathered(bound.astream([asked]))
    assert step.content == "찾아볼게요. "
    assert [(call["name"], call["args"]) for call in step.tool_calls] == [
        ("search_knowledge", {"query": "연차 휴가"}),
        ("calculate", {"expression": "15-3"}),
    ]
    answers = [ToolMessage(f"결과 {call['name']}", tool_call_id=call["id"]) for call in step.tool_calls]
    chunks = [chunk async for chunk in bound.astream([asked, AIMessage(step.content, tool_calls=step.tool_calls), *answers])]
    assert "".join(chunk.text for chunk in chunks) == "12일 남았습니다."
    assert sum(1 for chunk in chunks if chunk.text) >= 3
    assert [call.path for call in agent.calls] == ["/v1/chat/completions"] * 2
    assert agent.calls[0].tools == ["search_knowledge", "calculate"]
    assert agent.shown[-1] == ["휴가 며칠 남았어?", "찾아볼게요. "]
    agent.check()


async def gathered(chunks: AsyncIterator[AIMessageChunk]) -> AIMessageChunk:
    whole: AIMessageChunk | None = None
    async for chunk in chunks:
        whole = chunk if whole is None else whole + chunk
    assert whole is not None
    return whole


async def test_the_same_text_has_the_same_vector_and_a_like_one_is_nearer(agent):
    async with httpx.AsyncClient() as http:
        # check_embedding_ctx_length=False: the other way downloads a tokeniser.
        embeddings = OpenAIEmbeddings(
            model="text-embedding-3-small",
            api_key=SecretStr(KEY),
            base_url=agent.url,
            check_embedding_ctx_length=False,
            http_async_client=http,
        )
        a, b, other, again = await embeddings.aembed_documents(["연차 휴가 규정", "연차 휴가 신청", "printer on floor 3", "연차 휴가 규정"])

    def near(x: list[float], y: list[float]) -> float:
        return sum(one * two for one, two in zip(x, y, strict=True))

    assert len(a) == 1536
    assert a == again
    assert near(a, a) == pytest.approx(1, abs=1e-5)
    assert near(a, b) > near(a, other) + 0.2


async def test_the_models_are_listed(agent, client):
    assert [model.id for model in (await client.models.list()).data] == MODELS
    assert (await client.models.retrieve("gpt-4o")).id == "gpt-4o"
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("gpt-9")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("401", 401, "invalid_api_key"),
        ("403", 403, "unsupported_country_region_territory"),
        ("404", 404, "model_not_found"),
        ("429", 429, "rate_limit_exceeded"),
        ("quota", 429, "insufficient_quota"),
        ("500", 500, None),
        ("503", 503, None),
        ("529", 529, None),
        ("too_long", 400, "context_length_exceeded"),
        ("filtered_prompt", 400, "content_filter"),
    ],
)
async def test_a_scripted_refusal_reads_as_openais(agent, client, fault, status, code):
    agent.will_fail(fault, streamed=True)
    agent.will_fail(fault, streamed=False)
    for stream in (True, False):
        with pytest.raises(openai.APIStatusError) as caught:
            await client.chat.completions.create(model="gpt-4o", messages=ASKED, stream=stream)
        assert (caught.value.status_code, caught.value.code) == (status, code)
        assert "retry-after" not in caught.value.response.headers
    agent.check()


async def test_a_rate_limit_may_say_when_to_come_back(agent, client):
    agent.will_fail("429", retry_after=2)
    with pytest.raises(openai.RateLimitError) as caught:
        await said(client)
    assert caught.value.response.headers["retry-after"] == "2"


async def test_a_fault_comes_so_many_times_or_until_it_recovers(agent, client):
    agent.will_fail("500", times=2)
    agent.will_fail("503", times=FOREVER)
    agent.will_say("돌아왔어요.")
    seen = []
    for _ in range(5):
        with pytest.raises(openai.InternalServerError) as caught:
            await said(client)
        seen.append(caught.value.status_code)
    assert seen == [500, 500, 503, 503, 503]
    agent.recovers()
    assert await said(client) == "돌아왔어요."
    agent.will_fail("503", times=FOREVER)
    agent.check()  # a fault that never ends is not a line left over


async def test_a_cut_stream_ends_without_its_end(agent, client):
    agent.will_fail("cut")
    heard: list[str] = []

    async def listen() -> None:
        async for chunk in await client.chat.completions.create(model="gpt-4o", messages=ASKED, stream=True):
            heard.extend(choice.delta.content for choice in chunk.choices if choice.delta.content)

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError, openai.APIConnectionError)):
        await listen()
    assert len(heard) == 15
    assert agent.calls[0].tokens == 15


@pytest.mark.parametrize(("fault", "tokens"), [("hang", 0), ("stall", 15)])
async def test_a_silent_stream_ends_by_the_clients_patience(agent, client, fault, tokens):
    agent.will_fail(fault)
    with pytest.raises((openai.APITimeoutError, httpx.ReadTimeout)):
        await said(client.with_options(timeout=0.5))
    await asyncio.to_thread(agent.until_quiet)
    assert (agent.calls[0].tokens, agent.calls[0].disconnected) == (tokens, True)


@pytest.mark.parametrize(
    ("fault", "text", "reason"),
    [("empty", "", "stop"), ("blank", " \n\n \t", "stop"), ("filtered", "이것은", "content_filter"), ("length", "", "length")],
)
async def test_a_stream_may_end_with_nothing_said(agent, client, fault, text, reason):
    agent.will_fail(fault)
    chunks = [chunk async for chunk in await client.chat.completions.create(model="gpt-4o", messages=ASKED, stream=True)]
    heard = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert heard.startswith(text)
    assert fault == "filtered" or heard == text
    assert chunks[-1].choices[0].finish_reason == reason


async def test_malformed_events_break_the_client_that_reads_them(agent, client):
    agent.will_fail("malformed")
    with pytest.raises((json.JSONDecodeError, openai.APIError)):
        await said(client)


async def test_tool_calls_may_be_nonsense(agent, chat):
    agent.will_fail("broken_arguments")
    agent.will_fail("unknown_tool")
    bound = chat.bind_tools([SEARCH])
    broken = await gathered(bound.astream("휴가?"))
    assert [call["name"] for call in broken.invalid_tool_calls] == ["search_knowledge"] or broken.tool_calls[0]["args"] == {
        "query": "연차 휴가"
    }
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken.tool_call_chunks[0]["args"])
    assert [call["name"] for call in (await gathered(bound.astream("휴가?"))).tool_calls] == ["launch_rockets"]


def test_every_fault_is_tried_in_this_file():
    source = Path(__file__).read_text(encoding="utf-8")
    assert [fault for fault in FAULTS if f'"{fault}"' not in source] == []


def chat_body(**more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": ASKED, **more}


def tools_body(**function: Any) -> dict[str, Any]:
    return chat_body(tools=[{"type": "function", "function": {"name": "f", **function}}])


def said_body(*messages: dict[str, Any]) -> dict[str, Any]:
    return chat_body(messages=list(messages))


CALL_MESSAGE = {"role": "assistant", "content": None, "tool_calls": [CALLED]}
REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("an unknown field", chat_body(temprature=0), 400, "Unrecognized request argument supplied: temprature"),
    ("no model", {"messages": ASKED}, 400, "you must provide a model"),
    ("an unknown model", chat_body(model="gpt-9"), 404, "does not exist"),
    ("no messages", {"model": "gpt-4o"}, 400, "Missing required parameter"),
    ("empty messages", said_body(), 400, "empty array"),
    ("an unknown role", said_body({"role": "bot", "content": "x"}), 400, "Invalid value: 'bot'"),
    ("an unknown message field", said_body({"role": "user", "content": "x", "id": "1"}), 400, "messages[0].id"),
    ("null content", said_body({"role": "user", "content": None}), 400, "got null"),
    ("null content of the model", said_body({"role": "assistant", "content": None}), 400, "got null"),
    ("a number as content", said_body({"role": "user", "content": 5}), 400, "Invalid type"),
    ("an unknown part", said_body({"role": "user", "content": [{"type": "tool_use"}]}), 400, "Invalid value: 'tool_use'"),
    ("an image from the system", said_body({"role": "system", "content": [{"type": "image_url"}]}), 400, "Invalid value: 'image_url'"),
    ("a name with spaces", said_body({"role": "user", "content": "x", "name": "김 철수"}), 400, "does not match pattern"),
    ("a tool message alone", said_body(*ASKED, {"role": "tool", "content": "x", "tool_call_id": "call_1"}), 400, "must be a response"),
    ("an unanswered call", said_body(*ASKED, CALL_MESSAGE, *ASKED), 400, "did not have response messages: call_1"),
    ("an unanswered last call", said_body(*ASKED, CALL_MESSAGE), 400, "did not have response messages: call_1"),
    (
        "another call's answer",
        said_body(CALL_MESSAGE, {"role": "tool", "content": "x", "tool_call_id": "call_2"}),
        400,
        "must be a response",
    ),
    ("empty tool calls", said_body({"role": "assistant", "content": "x", "tool_calls": []}), 400, "empty array"),
    ("a long call id", said_body({"role": "assistant", "tool_calls": [{**CALLED, "id": "c" * 41}]}), 400, "1 to 40"),
    (
        "arguments not text",
        said_body({"role": "assistant", "tool_calls": [{**CALLED, "function": {"name": "f", "arguments": {}}}]}),
        400,
        "a string",
    ),
    ("temperature 3", chat_body(temperature=3), 400, "'temperature'"),
    ("no tokens at all", chat_body(max_tokens=0), 400, "'max_tokens'"),
    ("two limits", chat_body(max_tokens=5, max_completion_tokens=5), 400, "at the same time"),
    ("stream as text", chat_body(stream="yes"), 400, "expected a boolean"),
    ("stream options without a stream", chat_body(stream_options={"include_usage": True}), 400, "only allowed when 'stream'"),
    ("an unknown stream option", chat_body(stream=True, stream_options={"usage": True}), 400, "stream_options.usage"),
    ("max_tokens of a reasoning model", chat_body(model="gpt-5", max_tokens=5), 400, "Unsupported parameter"),
    ("temperature of a reasoning model", chat_body(model="gpt-5", temperature=0), 400, "Unsupported value"),
    ("an unknown format", chat_body(response_format={"type": "xml"}), 400, "'xml'"),
    ("no tools in the list", chat_body(tools=[]), 400, "1 to 128"),
    ("a choice without tools", chat_body(tool_choice="auto"), 400, "only allowed when 'tools'"),
    ("parallel calls without tools", chat_body(parallel_tool_calls=False), 400, "only allowed when 'tools'"),
    (
        "a choice that is not offered",
        chat_body(tools=[SEARCH], tool_choice={"type": "function", "function": {"name": "g"}}),
        400,
        "tool_choice",
    ),
    ("a dot in a tool's name", tools_body(name="a.b"), 400, "does not match pattern"),
    ("a long tool name", tools_body(name="a" * 65), 400, "does not match pattern"),
    ("a long description", tools_body(description="a" * 1025), 400, "1024"),
    ("an unknown tool field", tools_body(returns={}), 400, "function.returns"),
    ("a tool of another kind", chat_body(tools=[{"type": "search"}]), 400, "Missing required parameter"),
    ("parameters that are no object", tools_body(parameters={"type": "string"}), 400, "type"),
    ("a wrong schema", tools_body(parameters={"type": "object", "properties": {"a": {"type": "text"}}}), 400, "Invalid schema"),
    ("an array of nothing", tools_body(parameters={"type": "object", "properties": {"a": {"type": "array"}}}), 400, "missing items"),
    ("a loose strict schema", tools_body(strict=True, parameters={"type": "object", "properties": {}}), 400, "additionalProperties"),
]


def post(agent: FakeModel, path: str, body: Any, key: str | None = KEY) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.post(f"{agent.url}{path}", json=body, headers=headers, trust_env=False)


@pytest.mark.parametrize(("body", "status", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refuses(agent, body, status, message):
    agent.writes("받았어요")
    answer = post(agent, "/chat/completions", body)
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert len(agent.refusals) == 1


@pytest.mark.parametrize(
    "body",
    [
        chat_body(),
        chat_body(temperature=0, top_p=1, max_completion_tokens=5, user="u", stop=["x"], seed=1),
        chat_body(tools=[SEARCH], tool_choice={"type": "function", "function": {"name": "search_knowledge"}}, parallel_tool_calls=True),
        chat_body(tools=[SEARCH], tool_choice=None),
        said_body(*ASKED, CALL_MESSAGE, {"role": "tool", "content": "", "tool_call_id": "call_1"}, *ASKED),
        said_body({"role": "developer", "content": [{"type": "text", "text": "x"}]}, {"role": "user", "content": "", "name": "kim"}),
        chat_body(model="gpt-5", max_completion_tokens=5, temperature=1),
        tools_body(),
    ],
)
def test_does_not_refuse_what_is_right(agent, body):
    agent.writes("받았어요")
    answer = post(agent, "/chat/completions", body)
    assert answer.json()["choices"][0]["message"]["content"] == "받았어요"
    agent.check()


@pytest.mark.parametrize("key", [None, "wrong", "Bearer"])
@pytest.mark.parametrize("path", ["/chat/completions", "/embeddings"])
def test_a_key_is_asked_for(agent, path, key):
    answer = post(agent, path, chat_body(), key)
    assert answer.status_code == 401
    assert "wrong" not in answer.text


def test_a_long_prompt_is_refused_at_its_last_character(agent):
    agent.reads_at_most(len(ASKED[0]["content"]))
    assert post(agent, "/chat/completions", chat_body()).status_code == 200
    agent.reads_at_most(len(ASKED[0]["content"]) - 1)
    answer = post(agent, "/chat/completions", chat_body())
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "context_length_exceeded")
    agent.check()  # too long is the world's fault, not a broken rule


@pytest.mark.parametrize(
    "body",
    [{"input": ""}, {"input": []}, {"input": ["a", ""]}, {"input": ["a"] * 2049}, {"input": "a", "encoding_format": "hex"}, {"text": "a"}],
)
def test_refuses_embeddings(agent, body):
    assert post(agent, "/embeddings", {"model": "text-embedding-3-small", **body}).status_code == 400


def test_other_addresses_are_not_found(agent):
    assert post(agent, "/responses", {"model": "gpt-4o", "input": "x"}).status_code == 404
    with pytest.raises(AssertionError, match="Invalid URL"):
        agent.check()


def test_an_unknown_fault_is_a_mistake_of_the_test(agent):
    with pytest.raises(ValueError, match="no fault is called 'fire'"):
        agent.will_fail("fire")


async def test_a_benchmark_answers_everything_in_time_and_looks_for_the_passages(agent, client):
    agent.benchmarks("하나 둘 셋 넷 {tag}.", tokens=5, first_after=0.1, every=0.02, must_contain=["passage-42"])
    blind = [{"role": "user", "content": "휴가? #q7"}]
    assert await said(client, blind) == "하나 둘 셋 넷 #q7."
    assert len(agent.violations) == 1
    assert (
        await said(client, [{"role": "system", "content": "… passage-42 …"}, {"role": "user", "content": "휴가? #q8"}])
        == "하나 둘 셋 넷 #q8."
    )
    assert len(agent.violations) == 1
    assert [call.own_seconds for call in agent.calls] == [pytest.approx(0.18)] * 2


async def test_a_benchmark_goes_wrong_on_order_with_its_own_words_and_then_goes_on(agent, client):
    agent.benchmarks("하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉 열 {tag}.", first_after=0.0, every=0.0)
    agent.will_fail("cut")
    agent.will_fail("429", times=1)
    asked = [{"role": "user", "content": "휴가? #q7"}]
    with pytest.raises(openai.APIError):
        await said(client, asked)
    with pytest.raises(openai.RateLimitError):
        await said(client, asked)
    assert await said(client, asked) == "하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉 열 #q7."
    cut, refused, whole = agent.calls
    assert whole.said.startswith(cut.said)
    assert 0 < len(cut.said) < len(whole.said)
    assert refused.status == 429


async def test_a_benchmark_may_demand_a_tool_first(agent, chat):
    agent.benchmarks(
        "끝 {tag}", tokens=2, first_after=0.05, every=0, tool="search_knowledge", arguments={"query": "{question}"}, must_contain=["p-1"]
    )
    bound = chat.bind_tools([SEARCH])
    step = await gathered(bound.astream("휴가? #a1"))
    assert step.tool_calls[0]["args"] == {"query": "휴가? #a1"}
    assert agent.violations == []  # before the search there are no passages
    found = ToolMessage("… p-1 …", tool_call_id=step.tool_calls[0]["id"])
    assert (await gathered(bound.astream([HumanMessage("휴가? #a1"), AIMessage("", tool_calls=step.tool_calls), found]))).text == "끝 #a1"
    assert (await gathered(bound.astream("p-1 휴가? #a2"))).text == "끝 #a2"  # they are there already
    assert agent.violations == []


def test_the_process_leaves_when_its_test_run_dies():
    fake = FakeModel()
    fake.process.child.stdin.close()
    assert fake.process.child.wait(5) == 0
    fake.stop()
