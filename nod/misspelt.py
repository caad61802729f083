"""Names in `.env` that are no settings of nod's, though they look like some, and what was probably meant."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from dotenv import dotenv_values

from nod.settings import Settings

_OURS = ("NOD_", "SLACK_", "DISCORD_")
_UNREAD = ["SLACK_SIGNING_SECRET", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"]  # names of Slack's that harm nobody: nod needs none of them
_NEAR, _NEARLY_THE_SAME = 0.75, 0.83  # of ours any that is near; of others only OPENAI_KEY for OPENAI_API_KEY, not XAI_API_KEY


def misspelt(path: Path) -> Mapping[str, str]:
    """Return the names in a `.env` file which nod reads nowhere, each with the setting that was probably meant, or empty."""
    known = [str(field.validation_alias) for field in Settings.model_fields.values()]
    unknown = [name for name in dotenv_values(path) if name.upper() not in [*known, *_UNREAD]]
    meant = {name: _meant(name.upper(), known) for name in unknown}
    return {name: near for name, near in meant.items() if near or name.upper().startswith(_OURS)}


def _meant(name: str, known: list[str]) -> str:
    cutoff = _NEAR if name.startswith(_OURS) else _NEARLY_THE_SAME
    return next(iter(get_close_matches(name, known, 1, cutoff)), "")
