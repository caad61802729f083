"""Reads ZIP archives: one document, each file in it below its name.

An archive is taught, replaced, dated and taken back as the one thing that somebody gave, and all its files are read within the limits of
one; so its files are sections, not documents of their own. Whoever wants documents unpacks it and teaches the folder.
"""

import stat
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from knowledge.loaded import Block, LeftOut, Loaded
from knowledge.loaders import SUFFIXES, format_of
from knowledge.unpack import opened
from nod.errors import LoadError

MOST_FILES = 500


def load(content: bytes) -> Loaded:
    """Return the files of an archive that can be read, and which of them cannot. Raises LoadError for what nobody packs by accident."""
    with opened(content, "ZIP") as archive:
        members = [(_name(member), member) for member in archive.infolist() if not member.is_dir()]
        _refuse_tricks(members)
        wanted = [(name, member) for name, member in members if not _is_hidden(name) and PurePosixPath(name).suffix.lower() in SUFFIXES]
        if not wanted:
            raise LoadError("holds no file that can be read", "no_text")
        if len(wanted) > MOST_FILES:
            raise LoadError(f"holds more than {MOST_FILES} files: unpack it and teach the folder", "too_large")
        read = [_read(archive, name, member) for name, member in wanted]
    blocks = tuple(block for found in read if isinstance(found, tuple) for block in found)
    refused = tuple(found for found in read if isinstance(found, LeftOut))
    if not blocks:
        raise LoadError("holds no file that can be read" + "".join(f"; {left.name} {left.sentence}" for left in refused[:3]), "no_text")
    return Loaded(blocks, left_out=refused)


def _name(member: zipfile.ZipInfo) -> str:
    """Return what a file is called. A name that is not said to be UTF-8 was written by an older Windows, a Korean one if it reads so."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("cp949")
    except UnicodeError:
        return member.filename


def _refuse_tricks(members: list[tuple[str, zipfile.ZipInfo]]) -> None:
    for name, member in members:
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or not parts[0] or parts[0].endswith(":"):
            raise LoadError("holds a file whose path leads out of the archive", "tricks")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise LoadError("holds a link instead of a file", "tricks")


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _read(archive: zipfile.ZipFile, name: str, member: zipfile.ZipInfo) -> tuple[Block, ...] | LeftOut:
    """Return the blocks of a file below its name, or why it cannot be read."""
    try:
        content = archive.read(member)
        found = format_of(name, content)
        if found.name == "archive":
            return LeftOut(name, "tricks", "is an archive in an archive")
        return tuple(_below(name, found.load(content)))
    except LoadError as error:
        return LeftOut(name, error.kind, str(error))
    except Exception as error:  # noqa: BLE001  # parsers raise anything over a file that is broken, and the others are to be read
        return LeftOut(name, "unreadable", f"cannot be read ({type(error).__name__})")


def _below(name: str, loaded: Loaded) -> Iterator[Block]:
    title = (loaded.title,) if loaded.title else ()
    return (replace(block, heading=(name, *title, *block.heading)) for block in loaded.blocks)
