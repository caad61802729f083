"""What OpenAI refuses, as pure functions: each returns the refusal a request has earned, or nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

Body = dict[str, Any]

FIELDS = set(
    """audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages metadata modalities model
    n parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_retention reasoning_effort response_format
    safety_identifier seed service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity
    web_search_options""".split()  # noqa: SIM905 -- a list of 35 quoted words reads worse
)
MESSAGE_FIELDS = {
    "system": {"role", "content", "name"},
    "developer": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "refusal", "tool_calls", "function_call", "audio"},
    "tool": {"role", "content", "tool_call_id"},
}
PARTS = {
    "system": {"text"},
    "developer": {"text"},
    "tool": {"text"},
    "assistant": {"text", "refusal"},
    "user": {"text", "image_url", "input_audio", "file"},
}
RANGES = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "top_logprobs": (0, 20),
    "n": (1, 128),
    "max_tokens": (1, 10**9),
    "max_completion_tokens": (1, 10**9),
}
TOOL_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
PERSON_NAME = re.compile(r"^[^\s<|\\/>]{1,64}$")
GOOD_TOOLS: set[str] = set()  # seen and found right: a bench sends the same ones 500 times
REASONING = re.compile(r"^(o\d|gpt-5)")


@dataclass(eq=False)  # an exception must stay hashable
class Refusal(Exception):  # noqa: N818 -- it is what a provider says, not what went wrong here
    """An error as OpenAI writes it."""

    status: int
    message: str
    param: str | None = None
    code: str | None = None
    type: str = "invalid_request_error"
    retry_after: float | None = None
    scripted: bool = False

    @property
    def is_broken_rule(self) -> bool:
        """Whether the client did wrong, so that no script, wrong key, unknown model or long prompt explains it."""
        wrong = self.status == 400 and self.code != "context_length_exceeded"
        return not self.scripted and (wrong or self.message.startswith("Invalid URL"))

    def body(self) -> Body:
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


def text_of(message: Body) -> str:
    """Everything readable in one message."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content)
    return content or ""


def characters_in(body: Body) -> int:
    """How much the model has to read, tools and their arguments included."""
    calls = sum(len(json.dumps(m["tool_calls"])) for m in body["messages"] if m.get("tool_calls"))
    return sum(len(text_of(m)) for m in body["messages"]) + calls + (len(json.dumps(body["tools"])) if body.get("tools") else 0)


def check_key(header: str | None) -> None:
    if not header:
        raise Refusal(401, "You didn't provide an API key. You need to provide your API key in an Authorization header.")
    key = header.removeprefix("Bearer ")
    if not header.startswith("Bearer ") or not key.startswith("sk-"):
        raise Refusal(401, f"Incorrect API key provided: {key[:4]}****.", code="invalid_api_key")


def check_model(model: Any, known: list[str]) -> None:
    if not isinstance(model, str) or not model:
        raise Refusal(400, "you must provide a model parameter")
    if model not in known:
        raise Refusal(404, f"The model `{model}` does not exist or you do not have access to it.", code="model_not_found")


def check_chat(body: Body, known: list[str], limit_characters: int) -> None:
    """Raise the first thing OpenAI would object to in a chat completion."""
    _no_unknown(body, FIELDS, "")
    check_model(body.get("model"), known)
    _check_messages(body.get("messages"))
    _check_values(body)
    _check_tools(body)
    if (size := characters_in(body)) > limit_characters:
        raise Refusal(
            400,
            f"This model's maximum context length is {limit_characters} characters. However, your messages resulted in {size}.",
            "messages",
            "context_length_exceeded",
        )


def check_embeddings(body: Body, known: list[str]) -> list[Any]:
    """The inputs, one by one, each a text or a list of token numbers."""
    _no_unknown(body, {"dimensions", "encoding_format", "input", "model", "user"}, "")
    check_model(body.get("model"), known)
    given = body.get("input")
    inputs = given if isinstance(given, list) and given and not isinstance(given[0], int) else [given]
    if not 1 <= len(inputs) <= 2048 or not all(isinstance(one, str | list) and one for one in inputs):
        raise Refusal(400, "'$.input' is invalid. Please check the API reference.", "input")
    if any(len(one) > 8192 * 4 for one in inputs):
        raise Refusal(400, "This model's maximum context length is 8192 tokens.", "input")
    if body.get("encoding_format", "float") not in {"float", "base64"}:
        raise Refusal(400, "Invalid value for 'encoding_format'.", "encoding_format")
    if not isinstance(body.get("dimensions", 1), int) or not 1 <= body.get("dimensions", 1) <= 3072:
        raise Refusal(400, "Invalid value for 'dimensions'.", "dimensions")
    return inputs


def _no_unknown(given: Body, known: set[str], where: str) -> None:
    for field in given:
        if field not in known:
            raise Refusal(400, f"Unrecognized request argument supplied: {where}{field}", f"{where}{field}", "unknown_parameter")


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list):
        raise Refusal(400, "Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
    if not messages:
        raise Refusal(400, "Invalid 'messages': empty array. Expected an array with minimum length 1.", "messages", "empty_array")
    for number, message in enumerate(messages):
        _check_message(message, f"messages[{number}]")
    _check_order(messages)


def _check_message(message: Any, where: str) -> None:
    role = message.get("role") if isinstance(message, dict) else None
    if role not in MESSAGE_FIELDS:
        raise Refusal(400, f"Invalid value: {role!r}. Supported values are: {sorted(MESSAGE_FIELDS)}.", f"{where}.role", "invalid_value")
    _no_unknown(message, MESSAGE_FIELDS[role], f"{where}.")
    if "name" in message and not (isinstance(message["name"], str) and PERSON_NAME.match(message["name"])):
        raise Refusal(400, f"Invalid '{where}.name': string does not match pattern.", f"{where}.name", "invalid_value")
    _check_content(message, role, where)
    for number, call in enumerate(message.get("tool_calls") or []):
        _check_call(call, f"{where}.tool_calls[{number}]")
    if message.get("tool_calls") == []:
        raise Refusal(400, f"Invalid '{where}.tool_calls': empty array.", f"{where}.tool_calls", "empty_array")


def _check_content(message: Body, role: str, where: str) -> None:
    content = message.get("content")
    if content is None:
        if role == "assistant" and (message.get("tool_calls") or message.get("refusal")):
            return
        raise Refusal(400, f"Invalid value for 'content': expected a string, got null ({where}).", f"{where}.content", "invalid_type")
    if isinstance(content, str):
        return
    if not isinstance(content, list) or not content:
        raise Refusal(400, f"Invalid type for '{where}.content': expected a string or an array.", f"{where}.content", "invalid_type")
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in PARTS[role] or (kind == "text" and not isinstance(part.get("text"), str)):
            raise Refusal(400, f"Invalid value: {kind!r} in '{where}.content'.", f"{where}.content", "invalid_value")


def _check_call(call: Any, where: str) -> None:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or call.get("type") != "function":
        raise Refusal(400, f"Missing required parameter: '{where}.function'.", where, "missing_required_parameter")
    if not isinstance(call.get("id"), str) or not 1 <= len(call["id"]) <= 40:
        raise Refusal(400, f"Invalid '{where}.id': expected 1 to 40 characters.", f"{where}.id", "string_above_max_length")
    if not isinstance(function.get("arguments"), str):
        raise Refusal(400, f"Invalid type for '{where}.function.arguments': expected a string.", where, "invalid_type")
    _check_tool_name(function.get("name"), f"{where}.function.name")


def _check_tool_name(name: Any, where: str) -> None:
    if not isinstance(name, str) or not TOOL_NAME.match(name):
        raise Refusal(400, f"Invalid '{where}': string does not match pattern '^[a-zA-Z0-9_-]{{1,64}}$'.", where, "invalid_value")


def _check_order(messages: list[Body]) -> None:
    """Every tool call is answered at once, by its own id; no tool message stands alone."""
    open_calls: set[str] = set()
    for number, message in enumerate(messages):
        if message["role"] == "tool":
            if message.get("tool_call_id") not in open_calls:
                raise Refusal(
                    400,
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
                    f"messages.[{number}].role",
                )
            open_calls.discard(message["tool_call_id"])
            continue
        _nothing_open(open_calls)
        open_calls = {call["id"] for call in message.get("tool_calls") or []}
    _nothing_open(open_calls)


def _nothing_open(open_calls: set[str]) -> None:
    if open_calls:
        raise Refusal(
            400,
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
            f"The following tool_call_ids did not have response messages: {', '.join(sorted(open_calls))}",
            "messages",
        )


def _check_values(body: Body) -> None:
    for field, (least, most) in RANGES.items():
        value = body.get(field)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most):
            raise Refusal(400, f"Invalid '{field}': expected a value from {least} to {most}.", field, "invalid_value")
    for field in ("stream", "store", "logprobs", "parallel_tool_calls"):
        if not isinstance(body.get(field, False), bool | None):
            raise Refusal(400, f"Invalid type for '{field}': expected a boolean.", field, "invalid_type")
    if body.get("stream_options") and not body.get("stream"):
        raise Refusal(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    _no_unknown(body.get("stream_options") or {}, {"include_usage", "include_obfuscation"}, "stream_options.")
    if body.get("max_tokens") and body.get("max_completion_tokens"):
        raise Refusal(400, "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", "max_tokens")
    if REASONING.match(body["model"]):
        _check_reasoning(body)
    _check_format(body.get("response_format"))


def _check_reasoning(body: Body) -> None:
    if body.get("max_tokens"):
        raise Refusal(
            400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", "max_tokens", "unsupported_parameter"
        )
    if body.get("temperature", 1) not in {1, None}:
        raise Refusal(400, "Unsupported value: 'temperature'. Only the default (1) is supported.", "temperature", "unsupported_value")


def _check_format(wanted: Body | None) -> None:
    kind = (wanted or {"type": "text"}).get("type")
    if kind not in {"text", "json_object", "json_schema"}:
        raise Refusal(400, f"Invalid value: {kind!r} for 'response_format.type'.", "response_format.type", "invalid_value")
    if wanted and kind == "json_schema":
        _check_tool_name((wanted.get("json_schema") or {}).get("name"), "response_format.json_schema.name")
        _check_schema(wanted["json_schema"].get("schema"), "response_format", strict=bool(wanted["json_schema"].get("strict")))


def _check_tools(body: Body) -> None:
    tools = body.get("tools")
    if tools is None:
        for field in ("tool_choice", "parallel_tool_calls"):
            if body.get(field) is not None:
                raise Refusal(400, f"Invalid value for '{field}': '{field}' is only allowed when 'tools' are specified.", field)
        return
    if not isinstance(tools, list) or not 1 <= len(tools) <= 128:
        raise Refusal(400, "Invalid 'tools': expected an array of 1 to 128 tools.", "tools", "empty_array")
    spelled = json.dumps(tools, sort_keys=True)
    if spelled not in GOOD_TOOLS:
        for number, tool in enumerate(tools):
            _check_tool(tool, f"tools[{number}]")
        GOOD_TOOLS.add(spelled)
    names = [tool["function"]["name"] for tool in tools]
    choice = body.get("tool_choice", "auto")
    wanted = (choice.get("function") or {}).get("name") if isinstance(choice, dict) else None
    if wanted not in names and (isinstance(choice, dict) or choice not in {"auto", "none", "required", None}):
        raise Refusal(400, f"Invalid value for 'tool_choice': {choice!r}.", "tool_choice")


def _check_tool(tool: Any, where: str) -> None:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or tool.get("type") != "function":
        raise Refusal(400, f"Missing required parameter: '{where}.function'.", f"{where}.function", "missing_required_parameter")
    _no_unknown(tool, {"type", "function"}, f"{where}.")
    _no_unknown(function, {"name", "description", "parameters", "strict"}, f"{where}.function.")
    _check_tool_name(function.get("name"), f"{where}.function.name")
    if len(function.get("description") or "") > 1024:
        raise Refusal(400, f"Invalid '{where}.function.description': maximum length 1024.", where, "string_above_max_length")
    if "parameters" in function:
        _check_schema(function["parameters"], function["name"], strict=bool(function.get("strict")))


def _check_schema(schema: Any, name: str, *, strict: bool) -> None:
    def refuse(reason: str) -> Refusal:
        return Refusal(400, f"Invalid schema for function '{name}': {reason}", "tools", "invalid_function_parameters")

    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise refuse("schema must be a JSON Schema of 'type: \"object\"'.")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as problem:
        raise refuse(problem.message) from None
    for part in _parts_of(schema):
        if part.get("type") == "array" and "items" not in part and "prefixItems" not in part:
            raise refuse("array schema missing items.")
        if strict and part.get("type") == "object":
            if part.get("additionalProperties") is not False:
                raise refuse("'additionalProperties' is required to be supplied and to be false.")
            if set(part.get("required", [])) != set(part.get("properties", {})):
                raise refuse("'required' is required to be supplied and to be an array including every key in properties.")


def _parts_of(schema: Body) -> Iterator[Body]:
    """The schema and every schema inside it, never the names of properties."""
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    inner += [schema[key] for key in ("items", "additionalProperties") if key in schema]
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        inner += schema.get(key, [])
    for part in inner:
        if isinstance(part, dict):
            yield from _parts_of(part)
