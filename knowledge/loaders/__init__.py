"""Which formats can be read. A format is one module here with `load(content) -> Loaded`, and one line below.

What a file is, its content decides; its name only tells texts apart. A name that contradicts the content is an error with a name.
"""

import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any

from knowledge.loaded import Loaded
from nod.errors import LoadError


@dataclass(frozen=True, slots=True)
class Format:
    """A format: the module that reads it, how its files are called, and how people call it."""

    name: str
    suffixes: tuple[str, ...]
    called: str
    media_types: tuple[str, ...] = ()

    def load(self, content: bytes) -> Loaded:
        """Return a file of this format as text. Raises LoadError."""
        module: Any = import_module(f"knowledge.loaders.{self.name}")
        return module.load(content)


FORMATS = (
    Format("markdown", (".md", ".markdown"), "Markdown", ("text/markdown",)),
    Format("text", (".txt", ".text", ".log"), "text", ("text/plain",)),
    Format("html", (".html", ".htm", ".xhtml"), "HTML", ("text/html", "application/xhtml+xml")),
    Format("pdf", (".pdf",), "PDF", ("application/pdf",)),
    Format("docx", (".docx",), "DOCX", ("application/vnd.openxmlformats-officedocument.wordprocessingml.document",)),
)
SUFFIXES = frozenset(suffix for format_ in FORMATS for suffix in format_.suffixes)
_BY_NAME = {format_.name: format_ for format_ in FORMATS}
_BY_SUFFIX = {suffix: format_ for format_ in FORMATS for suffix in format_.suffixes}
_BY_MEDIA_TYPE = {media_type: format_ for format_ in FORMATS for media_type in format_.media_types}

_OTHERS = (  # what else people drop, by its first bytes
    (b"\x89PNG", "a PNG picture"), (b"\xff\xd8\xff", "a JPEG picture"), (b"GIF8", "a GIF picture"), (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"), (b"Rar!", "a RAR archive"), (b"\x7fELF", "a program"), (b"MZ", "a program"),
    (b"SQLite format 3", "a SQLite database"), (b"ID3", "a sound file"), (b"OggS", "a sound file"), (b"{\\rtf", "an RTF document"),
)  # fmt: skip
_HTML = re.compile(rb"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)


def named(name: str, media_type: str = "") -> Format | None:
    """Return the format that a file's name, else its media type, speaks of."""
    return _BY_SUFFIX.get(PurePosixPath(name).suffix.lower()) or _BY_MEDIA_TYPE.get(media_type.partition(";")[0].strip().lower())


def format_of(name: str, content: bytes, media_type: str = "") -> Format:
    """Return the format of a file. Raises LoadError when its name and content disagree, or when it is nothing that can be read."""
    expected = named(name, media_type)
    if not content.strip():
        raise LoadError("is empty", "empty")
    found = _by_content(content, expected)
    if expected and expected is not found:
        raise LoadError(f"is {found.called} by its content, not {expected.called}: rename it and try again", "wrong_type")
    if not expected and PurePosixPath(name).suffix:
        raise LoadError(f"is a kind of file that cannot be read yet; {' · '.join(f.called for f in FORMATS)} can", "unsupported")
    return found


def _by_content(content: bytes, expected: Format | None) -> Format:
    if b"%PDF-" in content[:1024]:
        return _BY_NAME["pdf"]
    if content.startswith(b"PK\x03\x04"):
        return _office(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        locked = "EncryptedPackage".encode("utf-16-le") in content
        raise LoadError(*(("is locked with a password", "locked") if locked else ("is an old Office or HWP file", "unsupported")))
    for magic, called in _OTHERS:
        if content.startswith(magic):
            raise LoadError(f"is {called}, not a document", "wrong_type" if expected else "unsupported")
    if b"\0" in content[:65536] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise LoadError("is not text: it holds binary data", "wrong_type" if expected else "unsupported")
    if _HTML.match(content[:4096]):
        return expected if expected and expected.name == "markdown" else _BY_NAME["html"]  # Markdown may begin with HTML
    return expected if expected and expected.name in ("markdown", "text", "html") else _BY_NAME["text"]


def _office(content: bytes) -> Format:
    if b"word/document.xml" in content:
        return _BY_NAME["docx"]
    for part, called in ((b"xl/workbook.xml", "an Excel workbook"), (b"ppt/presentation.xml", "a PowerPoint presentation")):
        if part in content:
            raise LoadError(f"is {called}, which cannot be read yet", "unsupported")
    raise LoadError("is a ZIP archive, not a document", "unsupported")
