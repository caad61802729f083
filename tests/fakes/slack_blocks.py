"""Whether blocks, views, chunks and metadata have the shape and size which Slack accepts.

Everything is refused with the place of the mistake (`json-pointer`), as Slack does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fakes.slack_arguments import Refusal

Json = dict[str, Any]

BLOCKS = {
    "section": "text fields accessory expand",
    "divider": "",
    "header": "text level",
    "context": "elements",
    "actions": "elements",
    "context_actions": "elements",
    "markdown": "text",
    "image": "image_url slack_file alt_text title",
    "input": "label element hint optional dispatch_action",
    "rich_text": "elements",
    "table": "rows column_settings",
    "file": "external_id source",
    "video": "alt_text author_name description provider_icon_url provider_name title title_url thumbnail_url video_url",
    "task_card": "task_id title status details output sources",
    "plan": "title tasks",
    "alert": "title text level",
    "card": "hero_image icon title subtitle body actions",
    "carousel": "elements",
    "container": "title subtitle icon child_blocks width is_collapsible default_collapsed",
}
_SELECT = "placeholder options option_groups initial_option initial_options confirm focus_on_load max_selected_items min_query_length"
_PICKS = "placeholder confirm focus_on_load max_selected_items initial_user initial_users initial_conversation initial_conversations "
_PICKS_MORE = "initial_channel initial_channels filter default_to_current_conversation response_url_enabled"
ELEMENTS = {
    "button": "text url value style confirm accessibility_label",
    "feedback_buttons": "positive_button negative_button",
    "icon_button": "icon text value confirm accessibility_label visible_to_user_ids",
    "overflow": "options confirm",
    "image": "image_url slack_file alt_text",
    **dict.fromkeys(("static_select", "multi_static_select", "external_select", "multi_external_select"), _SELECT),
    **{f"{many}{what}_select": _PICKS + _PICKS_MORE for many in ("", "multi_") for what in ("users", "conversations", "channels")},
    **dict.fromkeys(("checkboxes", "radio_buttons"), "options initial_option initial_options confirm focus_on_load"),
    "plain_text_input": "multiline min_length max_length initial_value placeholder dispatch_action_config focus_on_load",
    "number_input": "is_decimal_allowed min_value max_value initial_value placeholder dispatch_action_config focus_on_load",
    "datepicker": "initial_date placeholder confirm focus_on_load",
    "timepicker": "initial_time placeholder confirm focus_on_load timezone",
    "url_text_input": "initial_value placeholder dispatch_action_config focus_on_load",
    "email_text_input": "initial_value placeholder dispatch_action_config focus_on_load",
    "rich_text_input": "initial_value placeholder dispatch_action_config focus_on_load",
    "file_input": "filetypes max_files",
}
TASK_STATUSES = ("pending", "in_progress", "complete", "error")
SESSION_STATUSES = ("active", "processing", "suspended", "closed")
MARKDOWN_CHARACTERS = 12_000


def check_blocks(blocks: list[Any], most: int = 50, too_many: str = "invalid_blocks") -> None:
    """Refuse blocks which Slack would not show."""
    if len(blocks) > most:
        raise Refusal(too_many, f"no more than {most} items allowed [json-pointer:/blocks]")
    ids = [each.get("block_id") for each in blocks if isinstance(each, dict) and each.get("block_id")]
    if len(ids) != len(set(ids)):
        raise Refusal("invalid_blocks", "block_id already exists [json-pointer:/blocks]")
    for number, block in enumerate(blocks):
        _block(block, f"/blocks/{number}")
    if sum(len(each["text"]) for each in blocks if each["type"] == "markdown") > MARKDOWN_CHARACTERS:
        raise Refusal("msg_blocks_too_long", f"markdown blocks hold more than {MARKDOWN_CHARACTERS} characters in all")
    if sum(each["type"] == "table" for each in blocks) > 1:
        raise Refusal("invalid_attachments", "only_one_table_allowed")


def _bad(why: str, at: str, error: str = "invalid_blocks") -> Refusal:
    return Refusal(error, f"{why} [json-pointer:{at}]")


def _fields(thing: Json, allowed: str, at: str) -> None:
    if unknown := set(thing) - set(allowed.split()) - {"type"}:
        raise _bad(f"unknown field: {min(unknown)}", at)


def _block(block: Any, at: str) -> None:
    if not isinstance(block, dict) or block.get("type") not in BLOCKS:
        raise _bad(f"unsupported type: {block.get('type') if isinstance(block, dict) else block}", f"{at}/type")
    _fields(block, BLOCKS[block["type"]] + " block_id", at)
    if len(block.get("block_id", "")) > 255:
        raise _bad("must be less than 256 characters", f"{at}/block_id")
    if check := _CHECKS.get(block["type"]):
        check(block, at)


def _text(thing: Any, at: str, most: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> None:
    if not isinstance(thing, dict) or thing.get("type") not in kinds or not isinstance(thing.get("text"), str):
        raise _bad(f"must be a text object of type {' or '.join(kinds)}", at)
    _fields(thing, "text emoji verbatim", at)
    if not 1 <= len(thing["text"]) <= most:
        raise _bad(f"must be more than 0 and less than {most + 1} characters", f"{at}/text")


def _plain(thing: Any, at: str, most: int) -> None:
    _text(thing, at, most, ("plain_text",))


def _limit(thing: Json, key: str, most: int, at: str, *, required: bool = False) -> None:
    value = thing.get(key)
    if value is None and not required:
        return
    if not isinstance(value, str) or not value or len(value) > most:
        raise _bad(f"must be a string of 1 to {most} characters", f"{at}/{key}")


def _items(thing: Json, key: str, most: int, at: str) -> list[Any]:
    value = thing.get(key)
    if not isinstance(value, list) or not value:
        raise _bad("no more than 0 items found", f"{at}/{key}")
    if len(value) > most:
        raise _bad(f"no more than {most} items allowed", f"{at}/{key}")
    return value


def _section(block: Json, at: str) -> None:
    if "text" not in block and "fields" not in block:
        raise _bad("text or fields is required", at)
    if "text" in block:
        _text(block["text"], f"{at}/text", 3000)
    for number, each in enumerate(_items(block, "fields", 10, at) if "fields" in block else ()):
        _text(each, f"{at}/fields/{number}", 2000)
    if "accessory" in block:
        _element(block["accessory"], f"{at}/accessory")


def _markdown(block: Json, at: str) -> None:
    if not isinstance(block.get("text"), str) or not block["text"]:
        raise _bad("missing required field: text", at)


def _context(block: Json, at: str) -> None:
    for number, each in enumerate(_items(block, "elements", 10, at)):
        if isinstance(each, dict) and each.get("type") == "image":
            _image(each, f"{at}/elements/{number}")
        else:
            _text(each, f"{at}/elements/{number}", 3000)


def _elements(most: int, kinds: tuple[str, ...] | None = None) -> Callable[[Json, str], None]:
    def check(block: Json, at: str) -> None:
        elements = _items(block, "elements", most, at)
        for number, each in enumerate(elements):
            _element(each, f"{at}/elements/{number}", kinds)
        actions = [each["action_id"] for each in elements if "action_id" in each]
        if len(actions) != len(set(actions)):
            raise _bad("action_id already exists", f"{at}/elements")

    return check


def _image(block: Json, at: str) -> None:
    _limit(block, "alt_text", 2000, at, required=True)
    if "slack_file" not in block:
        _limit(block, "image_url", 3000, at, required=True)


def _input(block: Json, at: str) -> None:
    _plain(block.get("label"), f"{at}/label", 2000)
    if "hint" in block:
        _plain(block["hint"], f"{at}/hint", 2000)
    _element(block.get("element"), f"{at}/element")


def _table(block: Json, at: str) -> None:
    for number, row in enumerate(_items(block, "rows", 100, at)):
        if not isinstance(row, list) or not 1 <= len(row) <= 20:
            raise _bad("must have 1 to 20 cells", f"{at}/rows/{number}")


def _task_card(block: Json, at: str) -> None:
    _limit(block, "task_id", 255, at, required=True)
    if block.get("status", "pending") not in TASK_STATUSES:
        raise _bad("unknown status", f"{at}/status")


def _discard(_items: list[Any]) -> None:
    return None


_CHECKS: dict[str, Callable[[Json, str], None]] = {
    "section": _section,
    "markdown": _markdown,
    "header": lambda block, at: _plain(block.get("text"), f"{at}/text", 150),
    "context": _context,
    "actions": _elements(25),
    "context_actions": _elements(5, ("feedback_buttons", "icon_button")),
    "image": _image,
    "input": _input,
    "rich_text": lambda block, at: _discard(_items(block, "elements", 1000, at)),
    "table": _table,
    "task_card": _task_card,
}


def _element(element: Any, at: str, kinds: tuple[str, ...] | None = None) -> None:
    kind: Any = element.get("type") if isinstance(element, dict) else element
    if kind not in (kinds or ELEMENTS):
        raise _bad(f"unsupported type: {kind}", f"{at}/type")
    _fields(element, ELEMENTS[kind] + " action_id", at)
    _limit(element, "action_id", 255, at)
    if kind == "button":
        _button(element, at)
    elif kind == "feedback_buttons":
        for side in ("positive_button", "negative_button"):
            _feedback(element.get(side), f"{at}/{side}")
    elif kind == "icon_button":
        _icon(element, at)
    elif kind == "image":
        _image(element, at)
    elif kind in ("static_select", "multi_static_select", "overflow", "checkboxes", "radio_buttons"):
        _options(element, at)


def _button(element: Json, at: str) -> None:
    _plain(element.get("text"), f"{at}/text", 75)
    _limit(element, "value", 2000, at)
    _limit(element, "url", 3000, at)
    if element.get("style", "primary") not in ("primary", "danger"):
        raise _bad("unsupported style", f"{at}/style")


def _feedback(button: Any, at: str) -> None:
    if not isinstance(button, dict):
        raise _bad("missing required field", at)
    _fields(button, "text value accessibility_label", at)
    _plain(button.get("text"), f"{at}/text", 75)
    _limit(button, "value", 2000, at, required=True)
    _limit(button, "accessibility_label", 75, at)


def _icon(element: Json, at: str) -> None:
    if element.get("icon") != "trash":
        raise _bad("unsupported icon", f"{at}/icon")
    _plain(element.get("text"), f"{at}/text", 75)
    _limit(element, "value", 2000, at)


def _options(element: Json, at: str) -> None:
    if "option_groups" in element:
        return
    most = {"overflow": 5, "checkboxes": 10, "radio_buttons": 10}.get(element["type"], 100)
    for number, each in enumerate(_items(element, "options", most, at)):
        _text(each.get("text"), f"{at}/options/{number}/text", 75)
        _limit(each, "value", 150, f"{at}/options/{number}", required=True)


# views


def check_view(view: Json, kinds: tuple[str, ...]) -> None:
    """Refuse a modal or home tab which Slack would not open."""
    if view.get("type") not in kinds:
        raise _bad(f"must be of type {' or '.join(kinds)}", "/view/type", "invalid_arguments")
    allowed = "type title blocks close submit private_metadata callback_id clear_on_close notify_on_close external_id submit_disabled"
    if unknown := set(view) - set(allowed.split()):
        raise _bad(f"unknown field: {min(unknown)}", "/view", "invalid_arguments")
    if not isinstance(view.get("blocks"), list):
        raise _bad("missing required field: blocks", "/view", "invalid_arguments")
    try:
        check_blocks(view["blocks"], 100)
        for key in ("title", "submit", "close"):
            if key in view or (key == "title" and view["type"] == "modal"):
                _plain(view.get(key), f"/view/{key}", 24)
        _limit(view, "callback_id", 255, "/view")
    except Refusal as wrong:
        raise Refusal("invalid_arguments", **wrong.more) from None
    if len(view.get("private_metadata", "")) > 3000:
        raise _bad("must be less than 3001 characters", "/view/private_metadata", "invalid_arguments")
    if view["type"] == "modal" and "submit" not in view and any(each["type"] == "input" for each in view["blocks"]):
        raise _bad("submit is required when an input block is in blocks", "/view", "invalid_arguments")


# streams and metadata

_CHUNKS = {
    "markdown_text": ("text", ""),
    "task_update": ("id title status", "details output sources"),
    "plan_update": ("title", ""),
    "blocks": ("blocks", ""),
}


def check_chunks(chunks: list[Any]) -> None:
    """Refuse chunks of an unknown type, with a missing or an unknown field."""
    for number, chunk in enumerate(chunks):
        at = f"/chunks/{number}"
        if not isinstance(chunk, dict) or chunk.get("type") not in _CHUNKS:
            raise _bad("unsupported type", at, "invalid_chunks")
        required, optional = (words.split() for words in _CHUNKS[chunk["type"]])
        if set(chunk) - {"type", *required, *optional} or any(chunk.get(name) in (None, "") for name in required):
            raise _bad(f"must have {', '.join(required)} and nothing unknown", at, "invalid_chunks")
        if chunk["type"] == "task_update" and chunk["status"] not in TASK_STATUSES:
            raise _bad("unknown status", f"{at}/status", "invalid_chunks")
        if chunk["type"] == "blocks":
            check_blocks(chunk["blocks"], too_many="msg_blocks_too_many")


def weight_of(chunk: Json) -> int:
    """How many bytes of a stream's allowance this chunk takes; a task's details and output are counted twice."""
    if chunk["type"] == "task_update":
        return _bytes(chunk["title"]) + 2 * sum(_bytes(chunk.get(key) or "") for key in ("details", "output"))
    if chunk["type"] == "blocks":
        return sum(_bytes(each["text"]) for each in chunk["blocks"] if each["type"] == "markdown")
    return _bytes(chunk.get("text") or chunk.get("title") or "")


def _bytes(text: str) -> int:
    return len(text.encode())


def check_metadata(metadata: Json) -> None:
    """Refuse metadata which is not `{event_type, event_payload}` of plain values."""
    if set(metadata) != {"event_type", "event_payload"} or not isinstance(metadata["event_type"], str) or not metadata["event_type"]:
        raise Refusal("invalid_metadata_format", "must hold event_type and event_payload")
    payload = metadata["event_payload"]
    if not isinstance(payload, dict):
        raise Refusal("invalid_metadata_format", "event_payload must be an object")
    if any(isinstance(each, dict) for value in payload.values() for each in (value if isinstance(value, list) else [])):
        raise Refusal("invalid_metadata_schema", "event_payload holds objects within a list")
    if len(str(metadata).encode()) > 8_000:
        raise Refusal("metadata_too_large")
