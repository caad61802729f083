"""Where `make` begins: finds a Python that is new enough and goes on in nod/install.py with it.

Whatever `python3` is runs this file first, so it keeps to words that every Python 3 knows.
"""

import os
import shutil
import sys

OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")
SENTENCES = {
    "en": "nod needs Python {needed} or newer; python3 here is {found}. Get one (https://www.python.org/downloads/), then: make up",
    "ko": "nod에는 Python {needed} 이상이 필요해요. 여기의 python3은 {found}예요. 설치한 다음(https://www.python.org/downloads/): make up",
}


def language() -> str:
    """Return `ko` or `en`, as nod.language does."""
    wishes = [os.environ.get(name, "")[:2].lower() for name in ("NOD_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")]
    return next((wish for wish in wishes if wish in SENTENCES), "en")


def newer_python() -> str:
    """Return the path of a Python that is new enough, besides this one; empty when there is none."""
    return next((path for path in map(shutil.which, NEWER) if path), "")


def main() -> None:
    """Go on with a Python that is new enough, or say what is missing."""
    if sys.version_info >= OLDEST:
        from nod.install import main as install

        sys.exit(install(sys.argv[1:]))
    other = newer_python()
    if other:
        os.execv(other, [other, "-m", "nod.bootstrap", *sys.argv[1:]])  # noqa: S606  # no shell is what we want
    found = ".".join(str(part) for part in sys.version_info[:3])
    sys.stderr.write(SENTENCES[language()].format(needed=".".join(map(str, OLDEST)), found=found) + "\n")
    sys.exit(1)


if __name__ == "__main__":
    main()
