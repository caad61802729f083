"""The bare baseline of `make bench`: one asyncio process that streams a model straight into Slack, as many people would write it.

Official clients, one shared session, native streaming; no queue, no memory, no search, nothing that survives a restart.
"""

import argparse
import asyncio
import os
import re
import time
from typing import Any

import uvloop
from aiohttp import ClientSession
from openai import AsyncOpenAI
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

SYSTEM = "You are a helpful teammate in Slack. Answer briefly, in the language of the question."
SECONDS_BETWEEN_APPENDS = 0.7


async def answer(model: AsyncOpenAI, slack: AsyncWebClient, event: dict[str, Any], team: str) -> None:
    """Show a status at once, then the model's words as they come."""
    channel, thread = event["channel"], event.get("thread_ts") or event["ts"]
    status = asyncio.create_task(slack.assistant_threads_setStatus(channel_id=channel, thread_ts=thread, status="is thinking…"))
    asked = re.sub(r"<@\w+>", "", event["text"]).strip()
    messages: Any = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": asked}]
    chunks = await model.chat.completions.create(model=os.environ.get("BARE_MODEL", "gpt-4o"), messages=messages, stream=True)
    message = await slack.chat_stream(
        channel=channel, thread_ts=thread, recipient_user_id=event["user"], recipient_team_id=team, buffer_size=1
    )
    waiting, appended_at = "", 0.0
    await status
    async for chunk in chunks:
        waiting += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        if waiting and time.monotonic() - appended_at >= SECONDS_BETWEEN_APPENDS:
            text, waiting, appended_at = waiting, "", time.monotonic()
            await message.append(markdown_text=text)
    await message.stop(markdown_text=waiting or None)


async def run() -> None:
    """Connect and answer mentions until stopped."""
    async with ClientSession() as session, AsyncOpenAI() as model:
        base_url = os.environ.get("SLACK_API_URL", AsyncWebClient.BASE_URL)
        app = AsyncApp(client=AsyncWebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=base_url, session=session))

        @app.event("app_mention")
        async def on_mention(event: dict[str, Any], client: AsyncWebClient, body: dict[str, Any]) -> None:
            await answer(model, client, event, body["team_id"])

        await AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).start_async()


if __name__ == "__main__":
    argparse.ArgumentParser(
        description="A bare Slack bot. Environment: SLACK_BOT_TOKEN, SLACK_APP_TOKEN, SLACK_API_URL, OPENAI_API_KEY, OPENAI_BASE_URL."
    ).parse_args()
    uvloop.run(run())
