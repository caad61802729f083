"""The tool `time_in`."""

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones


def time_in(zone: str) -> str:
    """Return the current date and time in an IANA time zone such as `Asia/Seoul`."""
    if zone not in available_timezones():
        return f"No time zone is called {zone!r}; use an IANA name such as 'Asia/Seoul'."
    return f"{datetime.now(ZoneInfo(zone)):%A %Y-%m-%d %H:%M}"
