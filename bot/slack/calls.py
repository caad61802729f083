"""Calls of Slack's Web API, whose failures become the few kinds that delivery knows."""

from collections.abc import Awaitable
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.platform import LaterError, MessageGoneError, ModeLostError, PlaceGoneError, PlatformError, UnknownOutcomeError
from nod.counting import count
from nod.logs import log

_log = log(__name__)

_MODE_LOST = {"message_not_in_streaming_state", "stopped_by_user", "streaming_state_conflict", "streaming_mode_mismatch"}
_MESSAGE_GONE = {"message_not_found", "cant_update_message", "cant_delete_message", "edit_window_closed", "message_not_owned_by_app"}
_PLACE_GONE = {"channel_not_found", "not_in_channel", "is_archived", "thread_not_found", "user_not_found", "restricted_action",
               "restricted_action_read_only_channel", "restricted_action_thread_only_channel", "restricted_action_non_threadable_channel",
               "restricted_action_thread_locked", "cannot_reply_to_message", "user_not_in_channel", "messages_tab_disabled",
               "team_not_found", "team_access_not_granted", "invalid_thread_ts", "expired_url", "used_url"}  # fmt: skip
_OPERATOR = {"invalid_auth", "token_revoked", "token_expired", "account_inactive", "missing_scope", "not_authed", "org_login_required",
             "ekm_access_denied", "access_denied", "no_permission"}  # fmt: skip
_MAYBE = {"fatal_error", "internal_error", "request_timeout", "service_unavailable"}
_REFUSED_LOOKS = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_blocks_too_many", "invalid_attachments"}

OPERATOR_WAIT_SECONDS = 30.0


class AppRefusedError(LaterError):
    """Slack does not let this app do it (token, permission): only an admin can change that; until then it is tried now and then."""

    kind = "app_refused"


class TooManyCallsError(LaterError):
    """Slack counts too many calls of this method: all answers wait, not only the one that was told."""

    kind = "too_many_calls"


class RefusedError(PlatformError):
    """Slack does not take this content; `has_bad_looks` when plainer blocks might pass."""

    kind = "refused"

    def __init__(self, message: str, *, has_bad_looks: bool = False) -> None:
        super().__init__(message)
        self.has_bad_looks = has_bad_looks


async def called(call: Awaitable[AsyncSlackResponse]) -> dict[str, Any]:
    """Return what a Web API call answers. Raises the errors of `bot.platform`, or RefusedError."""
    try:
        response = await call
    except SlackApiError as error:
        raise _error_from(error) from error
    except aiohttp.ClientConnectorError as error:
        raise LaterError(f"Slack cannot be reached: {error}") from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise UnknownOutcomeError(f"Slack did not answer: {type(error).__name__} {error}") from error
    data: Any = response.data
    return data if isinstance(data, dict) else {}


def _error_from(error: SlackApiError) -> PlatformError:
    response: Any = error.response
    status: int = getattr(response, "status_code", 0) or 0
    data: Any = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    headers: Any = getattr(response, "headers", None) or {}
    if status == 429 or code in ("ratelimited", "rate_limited"):
        count("rate_limited")
        return TooManyCallsError(f"Slack: {code}", float(headers.get("Retry-After") or 1))
    if status >= 500 or code in _MAYBE:
        return UnknownOutcomeError(f"Slack: {code or status}")
    return error_named(code)


def error_named(code: str) -> PlatformError:
    """Return the error for what Slack calls `code`."""
    for kind, codes in ((ModeLostError, _MODE_LOST), (MessageGoneError, _MESSAGE_GONE), (PlaceGoneError, _PLACE_GONE)):
        if code in codes:
            return kind(f"Slack: {code}")
    if code in _OPERATOR:
        _log.error("Slack refuses this app", error=code, help="nod doctor names what is missing")
        return AppRefusedError(f"Slack: {code}", OPERATOR_WAIT_SECONDS)
    return RefusedError(f"Slack: {code}", has_bad_looks=code in _REFUSED_LOOKS)
