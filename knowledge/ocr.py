"""Words on pictures of pages, read by tesseract where it is installed with its Korean and English data.

Pictures take long. Each says when it is read, so that the limits which hold for a file hold for each of its pictures instead.
"""

import os
import shutil
import subprocess
from functools import cache

from nod.errors import LoadError

_PROGRAM = "tesseract"
_NEEDED = frozenset(("kor", "eng"))
_SECONDS = 25  # for one page; less than what a file may take
_read_to: list[int] = []  # the descriptor to which is told that a picture was read


def tell(descriptor: int) -> None:
    """Have each picture that is read told to a descriptor, as one empty line."""
    _read_to[:] = [descriptor]


def require() -> None:
    """Raise a LoadError that says what to install, when pictures cannot be read here."""
    if not shutil.which(_PROGRAM):
        raise LoadError("is scanned: to read it install tesseract (packages tesseract-ocr and tesseract-ocr-kor), then try again", "no_ocr")
    if missing := _NEEDED - _languages():
        packages = " and ".join(f"tesseract-ocr-{language}" for language in sorted(missing))
        raise LoadError(f"is scanned: to read it install tesseract's language data ({packages}), then try again", "no_ocr")


def is_there() -> bool:
    """Return whether pictures can be read here."""
    return bool(shutil.which(_PROGRAM)) and _languages() >= _NEEDED


def lines_on(gray: bytes, width: int, height: int, dpi: int) -> list[str]:
    """Return the lines of text on a picture, given as one byte of gray a pixel. Raises LoadError when that takes too long."""
    words = (_PROGRAM, "stdin", "stdout", "-l", "kor+eng", "--dpi", str(dpi))
    picture = b"P5 %d %d 255\n%s" % (width, height, gray)
    try:
        done = subprocess.run(words, input=picture, capture_output=True, timeout=_SECONDS, check=False, env=_environment())
    except subprocess.TimeoutExpired:
        raise LoadError("has a scanned page that takes too long to read", "too_slow") from None
    for descriptor in _read_to:
        os.write(descriptor, b"\n")
    return done.stdout.decode("utf-8", "replace").splitlines()


@cache
def _languages() -> frozenset[str]:
    done = subprocess.run((_PROGRAM, "--list-langs"), capture_output=True, text=True, check=False, env=_environment())
    return frozenset(done.stdout.split())


def _environment() -> dict[str, str]:
    """Return the environment for tesseract: one thread, for a second one makes it slower where cores are shared."""
    return dict(os.environ) | {"OMP_THREAD_LIMIT": "1"}
