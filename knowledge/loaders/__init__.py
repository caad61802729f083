"""Which formats can be read. A format is one module here with `load(content) -> Loaded`, and one line below.

What a file is, its content decides; its name only tells texts apart. A name that contradicts the content is an error with a name.
"""

import io
import re
import zipfile
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
    is_text: bool = False  # told from other text by its name alone

    def load(self, content: bytes) -> Loaded:
        """Return a file of this format as text. Raises LoadError."""
        module: Any = import_module(f"knowledge.loaders.{self.name}")
        return module.load(content)


_CODE = """
    py pyi js mjs cjs jsx ts tsx java kt kts scala groovy go rs c h cc cpp cxx hpp cs swift m mm rb php pl lua r jl dart ex exs erl hs clj
    sql sh bash zsh ps1 bat vue svelte css scss less proto graphql tf gradle toml ini cfg conf yaml yml xml properties"""
_OFFICE = "application/vnd.openxmlformats-officedocument."
FORMATS = (
    Format("markdown", (".md", ".markdown"), "Markdown", ("text/markdown",), is_text=True),
    Format("text", (".txt", ".text", ".log"), "text", ("text/plain",), is_text=True),
    Format("html", (".html", ".htm", ".xhtml"), "HTML", ("text/html", "application/xhtml+xml"), is_text=True),
    Format("pdf", (".pdf",), "PDF", ("application/pdf",)),
    Format("docx", (".docx",), "DOCX", (f"{_OFFICE}wordprocessingml.document",)),
    Format("pptx", (".pptx",), "PPTX", (f"{_OFFICE}presentationml.presentation",)),
    Format("xlsx", (".xlsx",), "XLSX", (f"{_OFFICE}spreadsheetml.sheet",)),
    Format("csv_table", (".csv", ".tsv"), "CSV", ("text/csv", "text/tab-separated-values"), is_text=True),
    Format("json_data", (".json", ".jsonl", ".ndjson"), "JSON", ("application/json", "application/x-ndjson"), is_text=True),
    Format("hwp", (".hwp", ".hwpx"), "HWP", ("application/x-hwp", "application/haansofthwp", "application/hwp+zip")),
    Format("code", tuple(f".{ending}" for ending in _CODE.split()), "source code", ("text/x-python", "text/javascript"), is_text=True),
    Format("archive", (".zip",), "ZIP", ("application/zip", "application/x-zip-compressed")),
)
SUFFIXES = frozenset(suffix for format_ in FORMATS for suffix in format_.suffixes)
_BY_NAME = {format_.name: format_ for format_ in FORMATS}
_BY_SUFFIX = {suffix: format_ for format_ in FORMATS for suffix in format_.suffixes}
_BY_MEDIA_TYPE = {media_type: format_ for format_ in FORMATS for media_type in format_.media_types}
_BY_PART = {  # what tells a document from other ZIP archives
    "word/document.xml": "docx", "xl/workbook.xml": "xlsx", "ppt/presentation.xml": "pptx", "Contents/section0.xml": "hwp",
}  # fmt: skip

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
        return _packed(content, expected)
    if content.startswith((b"\xd0\xcf\x11\xe0", b"HWP Document File")):
        return _old(content)
    for magic, called in _OTHERS:
        if content.startswith(magic):
            raise LoadError(f"is {called}, not a document", "wrong_type" if expected else "unsupported")
    if b"\0" in content[:65536] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise (
            LoadError("is not what its name says", "wrong_type")
            if expected
            else LoadError("is not text: it holds binary data", "unsupported")
        )
    if _HTML.match(content[:4096]):
        return expected if expected and expected.name in ("markdown", "code") else _BY_NAME["html"]  # these may begin with HTML
    return expected if expected and expected.is_text else _BY_NAME["text"]


def _packed(content: bytes, expected: Format | None) -> Format:
    """Return the format of what is a ZIP archive inside, by the names of its parts."""
    try:
        parts = frozenset(zipfile.ZipFile(io.BytesIO(content)).namelist())
    except (zipfile.BadZipFile, UnicodeDecodeError, ValueError):
        raise LoadError(f"is damaged: it is not a complete {expected.called if expected else 'ZIP'}", "unreadable") from None
    if any(part.endswith("vbaProject.bin") for part in parts):
        raise LoadError("holds macros: save it without them and try again", "macros")
    for part, name in _BY_PART.items():
        if part in parts:
            return _BY_NAME[name]
    if "mimetype" in parts or "[Content_Types].xml" in parts:
        raise LoadError("is a kind of document that cannot be read yet: save it as PDF", "as_pdf")
    return _BY_NAME["archive"]


def _old(content: bytes) -> Format:
    """Return the format of a document of the nineties: Hangul can be read, Office cannot."""
    if b"HWP Document File" in content:
        return _BY_NAME["hwp"]
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise LoadError("is locked with a password", "locked")
    raise LoadError("is an old Office file: save it as DOCX, XLSX or PPTX", "old_office")
