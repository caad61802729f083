"""What people change about the sources that stay in step: one more, another address. What cannot be followed is refused at once."""

import asyncio
import os
from pathlib import Path

import httpx
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.following import sync_soon
from knowledge.sources.followed import location_of
from knowledge.sources.url import IsAllowed, checked_address, is_public
from knowledge.sync import follow
from nod.errors import LoadError, NotFoundError
from nod.language import clean
from nod.program import typed


async def add(engine: AsyncEngine, kind: str, location: str, scope: str) -> int:
    """Let a source stay in step from now on, as `checked` gives it; return its number.

    Raises LoadError when it does already, or lies in a folder that does; ConfigError for a scope that does not exist.
    """
    async with engine.connect() as db:
        known = await db.execute(
            text("""
                SELECT s.location FROM sources s JOIN scopes c USING (scope_id)
                 WHERE s.kind = :kind AND c.name = :scope AND s.every_seconds IS NOT NULL AND s.removed_at IS NULL
                   AND (s.location = :location OR s.kind = 'folder' AND starts_with(:location, s.location || '/'))"""),
            {"kind": kind, "scope": scope, "location": location},
        )
        if whole := known.scalar():
            raise LoadError(
                f"{location} stays in step already{'' if whole == location else f', as a part of {whole}'}.", "followed"
            )  # fmt: skip
    source_id = await follow(engine, kind, location, scope)
    await sync_soon(engine, source_id)
    return source_id


async def checked(kind: str, name: str, *, may_be_local: bool, is_allowed: IsAllowed = is_public) -> str:
    """Return a path or address as a source of this kind is kept. Raises LoadError with what is wrong about it.

    `may_be_local`: whether it may be a folder of the machine. An address is looked up once now, and again whenever it is fetched.
    """
    name = name.strip()
    is_local = kind == "folder" or (kind == "git" and "://" not in name)
    if is_local and not may_be_local:
        raise LoadError(f"{name} is not a web address; a folder is named in the terminal: {typed()} ingest FOLDER.", "terminal_only")
    if kind == "folder":
        return await asyncio.to_thread(_folder, name)
    location = location_of(kind, name)
    if not is_local:
        await checked_address(httpx.URL(location), is_allowed)
    return location


def _folder(name: str) -> str:
    path = Path(name)
    if not path.is_absolute():
        raise LoadError(f"{name} is not a whole path; begin it with a slash.", "part_of_path")
    try:
        with os.scandir(path):
            return clean(str(path.resolve()))
    except FileNotFoundError:
        raise LoadError(f"{name} does not exist.", "no_such_path") from None
    except OSError as error:
        raise LoadError(f"{name} cannot be looked into: {error.strerror}.", "closed") from None


async def readdress(engine: AsyncEngine, source_id: int, location: str) -> None:
    """Give a source that stays in step another path or address, as `checked` gives it. What was learnt answers until the next sync.

    What is not at the new place is forgotten then; what is the same there is not read again. Raises NotFoundError, and LoadError when
    another source has that place.
    """
    try:
        async with engine.begin() as db:
            changed = await db.execute(
                text("""
                    UPDATE sources SET location = :location, attempt = attempt + 1, claimed_until = NULL, error = NULL, error_kind = NULL,
                           failures = 0, note = NULL, missed = '[]'
                     WHERE source_id = :id AND every_seconds IS NOT NULL AND removed_at IS NULL"""),
                {"id": source_id, "location": location},
            )
            if not changed.rowcount:
                raise NotFoundError(f"There is no source {source_id}.")
            # whatever opens at an address of its own opens elsewhere now: only reading it again tells where
            await db.execute(
                text("""
                    UPDATE documents SET stamp = NULL, content_hash = CASE WHEN url IS NULL THEN content_hash END
                     WHERE source_id = :id"""),
                {"id": source_id},
            )
    except IntegrityError:
        raise LoadError(f"{location} is a source already.", "followed") from None
    await sync_soon(engine, source_id)
