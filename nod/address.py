"""Whether the web page can listen where it should: not on an open network without its address, not on a port that is taken."""

import contextlib
import errno
import ipaddress
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nod.errors import ConfigError
from nod.saying import say

if TYPE_CHECKING:  # `make up` asks for the port before any package is here
    from nod.settings import Settings


def check_openness(settings: "Settings") -> None:
    """Raise ConfigError when the page would be open to a network while nobody said under which address."""
    if not is_loopback(settings.web_host) and not settings.web_url:
        raise ConfigError(say("up.open_to_network", host=settings.web_host, port=settings.web_port, machine=socket.gethostname()))


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def free_port(host: str, port: int) -> int:
    """Return the port to listen on (0 becomes one that is free). Raises ConfigError naming who has it."""
    try:
        return _bound(host, port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise ConfigError(say("up.port_unusable", host=host, port=port, why=error.strerror)) from None
    raise ConfigError(_taken(host, port))


def _bound(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the web server does: a port that was just closed is free
        line.bind((host, port))
        line.listen(1)
        return int(line.getsockname()[1])


def _taken(host: str, port: int) -> str:
    pid = _listener(port)
    free = next((other for other in range(port + 1, min(port + 100, 65536)) if _is_free(host, other)), 0)
    if pid is None:
        return say("up.port_in_use_unknown", port=port, free=free)
    return say("up.port_in_use", port=port, pid=pid, name=_name(pid), free=free)


def _is_free(host: str, port: int) -> bool:
    with contextlib.suppress(OSError):
        return bool(_bound(host, port))
    return False


def _listener(port: int) -> int | None:
    """Return the process that listens on a port, as far as we may see it."""
    if sys.platform != "linux":
        with contextlib.suppress(OSError, ValueError):
            words = ["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-t"]
            return int(subprocess.run(words, capture_output=True, text=True, check=False).stdout.split("\n")[0])
        return None
    if inodes := _inodes_listening(port):
        for process in Path("/proc").glob("[0-9]*"):
            if _holds(process, inodes):
                return int(process.name)
    return None


def _inodes_listening(port: int) -> set[str]:
    found: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text("ascii").splitlines()[1:]:
                words = line.split()
                if words[3] == "0A" and int(words[1].rpartition(":")[2], 16) == port:
                    found.add(f"socket:[{words[9]}]")
    return found


def _holds(process: Path, inodes: set[str]) -> bool:
    with contextlib.suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                if str(descriptor.readlink()) in inodes:
                    return True
    return False


def _name(pid: int) -> str:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/comm").read_text("utf-8").strip()
    shown = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607  # where ps lies differs
    return Path(shown.stdout.strip()).name
