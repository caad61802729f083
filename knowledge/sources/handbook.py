"""nod's own handbook: the pages of `docs/` that are written for those who use it."""

from pathlib import Path

from knowledge.sources import Origin
from knowledge.sources.folder import folder

# Beside the packages in a checkout, inside this one when installed.
FOLDERS = (Path(__file__).parents[2] / "docs", Path(__file__).parents[1] / "handbook")


def handbook(language: str) -> Origin:
    """Return the handbook in one language; empty when this installation has none."""
    root = next((path for path in FOLDERS if path.is_dir()), None)
    pages = folder(root).items if root else ()
    items = tuple(page for page in pages if page.location.startswith(f"{language}/") and page.location.endswith(".md"))
    return Origin("handbook", f"docs/{language}", items, is_whole=True)
