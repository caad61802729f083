"""nod's own handbook: the pages of `docs/` that are written for those who use it."""

from pathlib import Path

from knowledge.sources import Origin
from knowledge.sources.folder import folder

# Beside the packages in a checkout, inside this one when installed.
FOLDERS = (Path(__file__).parents[2] / "docs", Path(__file__).parents[1] / "handbook")
LANGUAGES = ("en", "ko")  # what else lies in docs/ is for those who build it


def handbook() -> Origin:
    """Return the handbook, in both languages; empty when this installation has none."""
    root = next((path for path in FOLDERS if path.is_dir()), None)
    pages = folder(root).items if root else ()
    items = tuple(page for page in pages if page.location.endswith(".md") and page.location.split("/")[0] in LANGUAGES)
    return Origin("handbook", "docs", items, is_whole=True)
