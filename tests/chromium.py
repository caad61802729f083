"""A Chromium for the browser tests: the system's, or Debian's when we may install it. Run it with `python -m tests.chromium`."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")


def found() -> str:
    """Return the path of a Chromium, empty when there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), "")


def main() -> None:
    """Install Chromium if there is none and we may; say what is missing otherwise."""
    if found():
        return
    if os.getuid() != 0 or not shutil.which("apt-get"):
        print("No Chromium here: the browser tests are skipped. Debian, Ubuntu: sudo apt-get install chromium", file=sys.stderr)
        return
    print("Installing Chromium for the browser tests (apt-get install chromium) …", flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", "chromium", "fonts-noto-cjk"]):
        done = subprocess.run(["apt-get", "-qq", *words], env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"apt-get {words[0]} failed:\n{done.stderr[-800:]}", file=sys.stderr)


if __name__ == "__main__":
    main()
