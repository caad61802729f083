"""The bar that commands show on a terminal while something lasts."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress(label: str, total: int | None = None, *, is_quiet: bool = False) -> Generator[Callable[..., Any]]:
    """Show a bar on stderr where that is a terminal; what is given updates it: `completed`, `advance`, `total`, `description`."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=is_quiet or not console.is_terminal) as bar:
        task = bar.add_task(label, total=total)

        def update(**values: Any) -> None:
            bar.update(task, **values)

        yield update
