"""Reads tables in text: CSV with whichever separator, and TSV."""

import csv
import io

from knowledge.decode import decoded
from knowledge.loaded import Loaded
from knowledge.tables import table

_LONGEST_CELL = 1_000_000
_SEPARATORS = "\t,;|"


def load(content: bytes) -> Loaded:
    """Return a table; its first row is the head."""
    text = decoded(content)
    csv.field_size_limit(_LONGEST_CELL)
    first = text.lstrip().partition("\n")[0]
    found = table(csv.reader(io.StringIO(text), delimiter=max(_SEPARATORS, key=first.count)))
    return Loaded((found,) if found else ())
