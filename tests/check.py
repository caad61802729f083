"""`make check`: every tool runs, then it says which failed. Run it with `python -m tests.check`."""

import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
TOOLS = {
    "lint": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "--output-format", "concise", "."),
    "types": ("basedpyright",),
    "imports": ("lint-imports",),
}


def main() -> int:
    """Run all tools and return 0 when all are content."""
    failed: list[str] = []
    for name, (tool, *words) in TOOLS.items():
        since = time.monotonic()
        done = subprocess.run([BIN / tool, *words], capture_output=True, text=True, check=False)
        print(f" {'✗' if done.returncode else '✓'} {name:8} {time.monotonic() - since:4.0f} s", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stdout + done.stderr, flush=True)
    if failed:
        print(f"Failed: {', '.join(failed)}. `make fmt` repairs what can be repaired.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
