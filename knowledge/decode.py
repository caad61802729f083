"""Bytes of a text file as text: UTF-8, UTF-16 with its mark, else Korean Windows (CP949), else Western Windows."""

import codecs

from nod.language import clean


def decoded(content: bytes) -> str:
    """Return the text of a file with plain line ends; nothing is refused, the last encoding knows every byte."""
    return clean(_text(content)).replace("\r\n", "\n").replace("\r", "\n")


def _text(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("cp1252", "replace")
