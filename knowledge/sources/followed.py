"""The kinds of sources that stay in step: how each is opened, and how often it is looked at."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.sources import Walked
from knowledge.sources.folder import folder
from knowledge.sources.git import address_of, repository
from knowledge.sources.site import Site
from knowledge.sources.url import IsAllowed, is_public
from nod.settings import Settings

EVERY_SECONDS: Mapping[str, int] = {"folder": 10, "git": 300, "site": 86_400}


@dataclass(frozen=True, slots=True)
class Means:
    """What opening a source takes: where clones are kept, tokens of Git hosts, which addresses may be reached."""

    data_dir: Path
    git_tokens: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    is_allowed: IsAllowed = is_public


def means_from(settings: Settings) -> Means:
    """Return what these settings allow."""
    return Means(settings.data_dir, {host: token.get_secret_value() for host, token in settings.git_tokens.items()})


def kind_of(name: str) -> str | None:
    """Return the kind of source that a path or address is by itself, if it is one that is not a folder, file or page."""
    path = Path(name)
    is_bare = (path / "HEAD").is_file() and (path / "objects").is_dir()
    is_address = name.split("?", maxsplit=1)[0].endswith(".git") and ("://" in name or "@" in name)
    return "git" if is_bare or is_address else None


def location_of(kind: str, name: str) -> str:
    """Return a path or address as it is kept. Raises LoadError when it cannot be one of this kind."""
    return address_of(name) if kind == "git" else Site(name).location


async def opened(kind: str, location: str, means: Means) -> Walked:
    """Return a source as it is now. Raises LoadError when it cannot be looked at."""
    if kind == "site":
        return Site(location, means.is_allowed)
    if kind == "git":
        return await repository(location, means.data_dir, means.git_tokens, means.is_allowed)
    return await asyncio.to_thread(folder, Path(location))
