"""The views.* methods: modals opened by a trigger, home tabs, and what an acknowledged submission does to them."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.fakes.slack_arguments import Refusal
from tests.fakes.slack_blocks import check_view
from tests.fakes.slack_world import APP_ID, BOT_ID, TEAM, World

Json = dict[str, Any]


def _new_view(world: World, view: Json, user: str, **more: Any) -> Json:
    view_id = world.new_id("V")
    blank: Json = {"id": view_id, "team_id": TEAM, "app_id": APP_ID, "bot_id": BOT_ID, "root_view_id": view_id, "previous_view_id": None}
    blank |= {"state": {"values": {}}, "hash": world.new_ts(), "private_metadata": "", "callback_id": "", "external_id": ""}
    world.views[view_id] = blank | view | {"user": user, "open": True, "errors": {}, "states": []} | more
    return _remember_view(world, view_id)


def _remember_view(world: World, view_id: str) -> Json:
    view = world.views[view_id]
    view["states"].append({"at": time.time(), "mono": time.monotonic(), "blocks": view["blocks"], "title": view.get("title")})
    return public_view(view)


def public_view(view: Json) -> Json:
    """The view without what only the tests know."""
    return {key: value for key, value in view.items() if key not in ("user", "open", "errors", "states")}


def views_open(world: World, args: Json, *, root: str | None = None) -> Json:
    """views.open: a trigger id opens one view, within three seconds."""
    trigger = world.triggers.get(args.get("trigger_id") or args.get("interactivity_pointer") or "")
    if trigger is None:
        raise Refusal("invalid_trigger_id")
    if trigger["used"]:
        raise Refusal("exchanged_trigger_id")
    if time.monotonic() - trigger["made"] > world.timing.trigger_seconds:
        raise Refusal("expired_trigger_id")
    check_view(args["view"], ("modal",))
    if len(json.dumps(args["view"])) > 250_000:
        raise Refusal("view_too_large")
    trigger["used"] = True
    return {"view": _new_view(world, args["view"], trigger["user"], **({"root_view_id": root, "previous_view_id": root} if root else {}))}


def views_push(world: World, args: Json) -> Json:
    """views.push: a view above the one that is open."""
    trigger = world.triggers.get(args.get("trigger_id", ""), {})
    below = [each for each in world.views.values() if each["open"] and each["type"] == "modal" and each["user"] == trigger.get("user")]
    if len(below) >= 3:
        raise Refusal("push_limit_reached")
    return views_open(world, args, root=below[0]["id"] if below else None)


def views_publish(world: World, args: Json) -> Json:
    """views.publish: this person's home tab."""
    if args["user_id"] not in world.users:
        raise Refusal("user_not_found")
    check_view(args["view"], ("home",))
    known = world.homes.get(args["user_id"])
    if known and args.get("hash") and args["hash"] != known["hash"]:
        raise Refusal("hash_conflict")
    view = _new_view(world, args["view"], args["user_id"])
    world.homes[args["user_id"]] = world.views[view["id"]]
    return {"view": view}


def views_update(world: World, args: Json) -> Json:
    """views.update: the open view, changed."""
    by_external = (each for each in world.views.values() if args.get("external_id") and each["external_id"] == args["external_id"])
    view = world.views.get(args.get("view_id", "")) or next(by_external, None)
    if view is None or not view["open"]:
        raise Refusal("not_found")
    if args.get("hash") and args["hash"] != view["hash"]:
        raise Refusal("hash_conflict")
    check_view(args["view"], (view["type"],))
    return {"view": change_view(world, view, args["view"])}


def change_view(world: World, view: Json, new: Json) -> Json:
    """The view with new content and a new hash."""
    view.update(new, hash=world.new_ts(), errors={})
    return _remember_view(world, view["id"])


def answer_submission(world: World, view: Json, answer: Any) -> None:
    """Do to the view what the app's acknowledgement says: errors, update, push, clear, or close it."""
    action = answer.get("response_action") if isinstance(answer, dict) else None
    if action == "errors":
        view["errors"] = answer["errors"]
    elif action == "update":
        check_view(answer["view"], ("modal",))
        change_view(world, view, answer["view"])
    elif action == "push":
        check_view(answer["view"], ("modal",))
        _new_view(world, answer["view"], view["user"], previous_view_id=view["id"], root_view_id=view["root_view_id"])
    else:
        for each in world.views.values():
            if each["id"] == view["id"] or (action == "clear" and each["user"] == view["user"] and each["type"] == "modal"):
                each["open"] = False


VIEWS = {"views.open": views_open, "views.push": views_push, "views.publish": views_publish, "views.update": views_update}
