"""Every setting, typed. The names are fixed for everyone; `.env.example` lists them all (a test compares)."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from nod.errors import ConfigError
from nod.quotas import Quotas
from nod.saying import say


class Settings(BaseSettings):
    """What the environment and `.env` say; the environment wins."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True, frozen=True)

    # Slack
    slack_bot_token: SecretStr | None = Field(None, validation_alias="SLACK_BOT_TOKEN")
    slack_app_token: SecretStr | None = Field(None, validation_alias="SLACK_APP_TOKEN")
    slack_api_url: str = Field("https://slack.com/api/", validation_alias="SLACK_API_URL")
    slack_dm_threads: bool = Field(True, validation_alias="NOD_SLACK_DM_THREADS")  # false: an older app, without the agent view
    # Discord
    discord_token: SecretStr | None = Field(None, validation_alias="DISCORD_TOKEN")
    discord_api_url: str = Field("https://discord.com/api/v10", validation_alias="DISCORD_API_URL")
    discord_message_content: bool = Field(False, validation_alias="NOD_DISCORD_MESSAGE_CONTENT")  # true: the intent is switched on
    # Language model
    openai_api_key: SecretStr | None = Field(None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(None, validation_alias="OPENAI_BASE_URL")
    model: str = Field("openai:gpt-4o", validation_alias="NOD_MODEL")
    fallback_models: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias="NOD_FALLBACK_MODELS")
    light_model: str | None = Field(None, validation_alias="NOD_LIGHT_MODEL")
    across_languages: bool = Field(True, validation_alias="NOD_ACROSS_LANGUAGES")
    embedding_model: str | None = Field(None, validation_alias="NOD_EMBEDDING_MODEL")
    daily_limit_usd: float = Field(5.0, validation_alias="NOD_DAILY_LIMIT", ge=0, allow_inf_nan=False)
    # Servers; without them the ones of `nod up` are found by the data folder
    redis_url: str | None = Field(None, validation_alias="REDIS_URL")
    database_url: str | None = Field(None, validation_alias="DATABASE_URL")
    data_dir: Path = Field(Path(".nod"), validation_alias="NOD_DATA_DIR")
    secret_key: SecretStr | None = Field(None, validation_alias="NOD_SECRET_KEY")
    # Web page
    web_host: str = Field("127.0.0.1", validation_alias="NOD_WEB_HOST")
    web_port: int = Field(8130, validation_alias="NOD_WEB_PORT", ge=0, le=65535)
    web_url: str | None = Field(None, validation_alias="NOD_WEB_URL")
    metrics_token: SecretStr | None = Field(None, validation_alias="NOD_METRICS_TOKEN")
    # People
    admins: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias="NOD_ADMINS")
    language: str | None = Field(None, validation_alias="NOD_LANGUAGE")
    training_platforms: Annotated[tuple[str, ...], NoDecode] = Field(("web", "cli"), validation_alias="NOD_TRAINING_PLATFORMS")
    # Documents
    git_tokens: Annotated[Mapping[str, SecretStr], NoDecode] = Field({}, validation_alias="NOD_GIT_TOKENS")
    # Working
    workers: int = Field(1, validation_alias="NOD_WORKERS", ge=1, le=64)
    answers_at_once: int = Field(200, validation_alias="NOD_ANSWERS_AT_ONCE", ge=1)
    person_at_once: int = Field(0, validation_alias="NOD_PERSON_AT_ONCE", ge=0)
    channel_at_once: int = Field(0, validation_alias="NOD_CHANNEL_AT_ONCE", ge=0)
    workspace_at_once: int = Field(0, validation_alias="NOD_WORKSPACE_AT_ONCE", ge=0)
    memory_tokens: int = Field(6000, validation_alias="NOD_MEMORY_TOKENS", ge=500)
    memory_days: int = Field(30, validation_alias="NOD_MEMORY_DAYS", ge=1)
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", validation_alias="NOD_LOG_LEVEL")
    log_format: Literal["json", "console"] = Field("json", validation_alias="NOD_LOG_FORMAT")

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _in_lower_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("admins", "training_platforms", "fallback_models", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value

    @field_validator("git_tokens", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [word.strip().partition("=") for word in value.split(",") if word.strip()]
        if not all(host and token for host, _, token in pairs):
            raise ValueError(say("error.wrong.pairs"))
        return {host.lower(): token for host, _, token in pairs}

    @property
    def has_slack(self) -> bool:
        """Whether the Slack bot has what it needs to start."""
        return self.slack_bot_token is not None and self.slack_app_token is not None

    @property
    def has_discord(self) -> bool:
        """Whether the Discord bot has what it needs to start."""
        return self.discord_token is not None

    @property
    def has_model(self) -> bool:
        """Whether a language model is connected: a key, or a compatible server which may need none."""
        return self.openai_api_key is not None or self.openai_base_url is not None

    @property
    def quotas(self) -> Quotas:
        """Return how many answers may run at once of one person, in one channel, in one workspace."""
        return Quotas(self.person_at_once, self.channel_at_once, self.workspace_at_once)

    @property
    def public_url(self) -> str:
        """Return the address of the web page as people open it, without a slash at the end."""
        return (self.web_url or f"http://{self.web_host}:{self.web_port}").rstrip("/")


_KINDS = {
    "int_parsing": "whole", "int_from_float": "whole", "int_parsing_size": "whole", "float_parsing": "number", "finite_number": "number",
    "bool_parsing": "yes_or_no", "literal_error": "one_of", "greater_than_equal": "at_least", "less_than_equal": "at_most",
}  # fmt: skip


def _why(wrong: ErrorDetails) -> str:
    """Return what is wrong with a value in our own words; a check of ours speaks for itself."""
    known: dict[str, Any] = wrong.get("ctx") or {}
    if kind := _KINDS.get(wrong["type"]):
        choice = str(known.get("expected", "")).replace(" or ", ", ").replace("'", "")
        return say(f"error.wrong.{kind}", choice=choice, least=known.get("ge"), most=known.get("le"))
    return str(known.get("error", wrong["msg"]))


def load_settings(answers: Mapping[str, str] | None = None) -> Settings:
    """Return the settings, and let the terminal speak their language. Raises ConfigError naming the variable and what is wrong with it.

    `answers`: values by their environment names that hold before they are written.
    """
    try:
        settings = Settings.model_validate(dict(answers or {}))
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        value = "[secret]" if "TOKEN" in str(wrong["loc"][0]) else wrong["input"]
        raise ConfigError(say("error.setting", name=wrong["loc"][0], value=value, why=_why(wrong))) from None
    if settings.language:
        os.environ.setdefault("NOD_LANGUAGE", settings.language)
    return settings
