"""Documents in a folder, and a single file."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from knowledge.loaders import SUFFIXES
from knowledge.reading import MOST_BYTES
from knowledge.sources import Content, Item, Origin
from nod.errors import LoadError
from nod.language import clean


def folder(path: Path) -> Origin:
    """Return a folder with all files below it that nod can read; hidden ones are left alone, and no link out of it is followed."""
    root = path.resolve()
    files = sorted(_files(root))
    wanted = [file for file in files if file.suffix.lower() in SUFFIXES]
    items = tuple(_item(file, file.relative_to(root).as_posix()) for file in wanted)
    return Origin("folder", clean(str(root)), items, is_whole=True, skipped=len(files) - len(wanted))


def file(path: Path) -> Origin:
    """Return one file."""
    whole = path.resolve()
    return Origin("file", clean(str(whole)), (_item(whole, whole.name),))


def _item(path: Path, location: str) -> Item:
    name = clean(location)  # some systems write names in pieces (NFD), or in no encoding at all
    return Item(name, partial(_read, path, name))


def _files(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        is_hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if not is_hidden and path.is_file() and path.resolve().is_relative_to(root):
            yield path


async def _read(path: Path, name: str) -> Content:
    return await asyncio.to_thread(_read_now, path, name)


def _read_now(path: Path, name: str) -> Content:
    try:
        seen = path.stat()
        if seen.st_size > MOST_BYTES:
            raise LoadError(f"{name} is larger than {MOST_BYTES // 2**20} MB.", "too_large")
        return Content(path.read_bytes(), name, date=datetime.fromtimestamp(seen.st_mtime, UTC))
    except OSError as error:
        raise LoadError(f"{name} cannot be opened: {error.strerror}.", "unreadable") from None
