"""Structured logs on stderr, with secrets taken out before anything is written."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET = re.compile(
    r"xox[abeoprs]-[\w-]{6,}|xapp-[\w-]{6,}|sk-[\w-]{8,}|[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}"  # Slack, OpenAI, Discord
    r"|(?<=://)[^/@\s:]+:[^/@\s]+(?=@)|(?<=/in/)[\w-]+|Bearer\s+[\w.~+/-]+=*"  # addresses with passwords, sign-in links
)


def redact(text: str) -> str:
    """Return text with every token, password and sign-in link replaced by `[secret]`."""
    return _SECRET.sub("[secret]", text)


def _redacted(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = redact(value)
    return event


def start_logs(level: str = "info", form: str = "json", role: str = "") -> None:
    """Send this process's logs (ours and the libraries') to stderr, one line each, `json` or `console`."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redacted,
    ]
    last: Any = structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in (
        "httpx",
        "httpx2",
        "httpcore",
        "httpcore2",
        "discord",
        "slack_bolt",
        "slack_sdk",
        "celery",
        "kombu",
        "uvicorn.access",
        "openai",
    ):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))  # bolt logs bodies of refused requests at INFO
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    if role:
        structlog.contextvars.bind_contextvars(role=role)


def log(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger. Events are short sentences in lower case, their details are fields."""
    return structlog.stdlib.get_logger(name)
