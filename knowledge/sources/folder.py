"""Documents in a folder, and a single file."""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

from knowledge.loaders import SUFFIXES
from knowledge.reading import MOST_BYTES
from knowledge.sources import Content, Item, Origin
from nod.errors import LoadError
from nod.language import clean

YOUNG_SECONDS = 2.0  # a file that changed just now may change again without its times telling: it is looked at once more


def folder(path: Path) -> Origin:
    """Return a folder with all files below it that nod can read; hidden ones are left alone, and no link out of it is followed.

    It is whole only if every folder in it could be looked into. Raises LoadError when the folder itself cannot.
    """
    root = path.resolve()
    closed: list[str] = []
    try:
        found = sorted(_files(root, root, closed), key=lambda one: one[0])
    except OSError as error:
        raise LoadError(f"{root} is not there now ({error.strerror}); what nod learnt from it is kept.", "folder_gone") from None
    items = tuple(_listed(root, Path(path), seen) for path, seen in found if Path(path).suffix.lower() in SUFFIXES)
    return Origin(
        "folder", clean(str(root)), items, is_whole=not closed, skipped=len(found) - len(items), stamp=None if closed else _all(items)
    )


def file(path: Path) -> Origin:
    """Return one file."""
    whole = path.resolve()
    return Origin("file", clean(str(whole)), (_item(whole, whole.name, whole.parent),))


def _item(path: Path, location: str, root: Path, stamp: str | None = None) -> Item:
    name = clean(location)  # some systems write names in pieces (NFD), or in no encoding at all
    return Item(name, partial(_read, path, name, root), stamp)


def _listed(root: Path, path: Path, seen: os.stat_result) -> Item:
    is_young = abs(time.time() - max(seen.st_mtime, seen.st_ctime)) < YOUNG_SECONDS
    stamp = None if is_young else f"{seen.st_size}-{seen.st_mtime_ns}-{seen.st_ctime_ns}"
    return _item(path, path.relative_to(root).as_posix(), root, stamp)


def _all(items: tuple[Item, ...]) -> str | None:
    """Return what stands for all items together; None while one of them is not sure."""
    if not all(item.stamp for item in items):
        return None
    return sha256("\0".join(f"{item.location}\0{item.stamp}" for item in items).encode()).hexdigest()


def _files(root: Path, within: str | Path, closed: list[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Give the files below a folder, each as it is now; those of its folders that cannot be looked into go on the list."""
    with os.scandir(within) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                try:
                    yield from _files(root, entry.path, closed)
                except OSError:
                    closed.append(entry.path)
            elif _is_inside(entry, root):
                with contextlib.suppress(FileNotFoundError):  # just deleted
                    yield entry.path, entry.stat()


def _is_inside(entry: "os.DirEntry[str]", root: Path) -> bool:
    if not entry.is_symlink():
        return entry.is_file()
    try:
        target = Path(entry.path).resolve(strict=True)
    except (OSError, RuntimeError):  # leads nowhere, or in a circle
        return False
    return target.is_file() and target.is_relative_to(root)


async def _read(path: Path, name: str, root: Path) -> Content:
    return await asyncio.to_thread(_read_now, path, name, root)


def _read_now(path: Path, name: str, root: Path) -> Content:
    try:
        if not path.resolve().is_relative_to(root):  # a link has taken its place since it was listed
            raise LoadError(f"{name} leads out of its folder.", "unreadable")
        seen = path.stat()
        if seen.st_size > MOST_BYTES:
            raise LoadError(f"{name} is larger than {MOST_BYTES // 2**20} MB.", "too_large")
        return Content(path.read_bytes(), name, date=datetime.fromtimestamp(seen.st_mtime, UTC))
    except OSError as error:
        raise LoadError(f"{name} cannot be opened: {error.strerror}.", "unreadable") from None
