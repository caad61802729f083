"""Opens what is a ZIP archive inside (Office documents, HWPX, archives), and refuses what is hostile before anything is unpacked."""

import io
import re
import zipfile

from nod.errors import LoadError

MOST_UNPACKED = 150 * 2**20  # bytes, of all parts together; what reads them needs several times as much memory
MOST_PARTS = 10_000
_ENTITIES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_MOST_PROLOGUE = 4096


def opened(content: bytes, called: str) -> zipfile.ZipFile:
    """Return an archive that is complete, not locked, and unpacks to what may be read. Raises LoadError."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, UnicodeDecodeError, ValueError):
        raise LoadError(f"is damaged: it is not a complete {called}", "unreadable") from None
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MOST_UNPACKED:
        raise LoadError(f"unpacks to {unpacked // 2**20} MB, far more than a document is", "bomb")
    if len(parts) > MOST_PARTS:
        raise LoadError(f"holds more than {MOST_PARTS:,} parts, far more than a document does", "bomb")
    if any(part.flag_bits & 1 for part in parts):
        raise LoadError("is locked with a password", "locked")
    return archive


def refuse_hostile(content: bytes, called: str) -> None:
    """Refuse a document in XML that unpacks to far too much, is locked, or declares entities. Raises LoadError."""
    with opened(content, called) as archive:
        for part in archive.infolist():
            if part.filename.endswith((".xml", ".rels", ".hpf")):
                with archive.open(part) as one:
                    if _ENTITIES.search(one.read(_MOST_PROLOGUE)):
                        raise LoadError("declares XML entities, which no word processor does", "entities")
