"""Which processes live: each says so every 2 s, and one that is silent for 6 s is dead."""

import threading
import time
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from nod import children
from nod.counting import counted
from nod.errors import first_line
from nod.logs import log

BEAT_SECONDS = 2.0
DEAD_SECONDS = 6.0
GAP_SECONDS = 3.0  # between two beats: longer, and something was away
STUCK_SECONDS = 15.0  # an event loop that has not ticked for this long stops its heartbeat

_log = log(__name__)

_BEAT_AND_TELL = "UPDATE processes SET seen_at = now(), detail = detail || %s WHERE process_id = %s"


class Heartbeat:
    """Beats every 2 s from a thread and a connection of its own, with the database's clock, while the event loop is alive."""

    def __init__(self, database_url: str, process_id: UUID) -> None:
        self._database_url = database_url.replace("postgresql+psycopg://", "postgresql://")
        self._process_id = process_id
        self._ticked = self._steady_since = self._beaten = time.monotonic()
        self._told: dict[str, int] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin beating; the process must have been registered."""
        self._thread.start()

    def tick(self) -> None:
        """Say that the event loop is alive; call it at least every few seconds from the loop."""
        self._ticked = time.monotonic()

    def stop(self) -> None:
        """End the thread."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(timeout=BEAT_SECONDS)

    @property
    def may_judge(self) -> bool:
        """Whether this process has itself been heard without a gap for long enough to call others dead.

        After an outage of PostgreSQL everybody looks dead to whoever comes back first: who is late with a beat is in a gap by now.
        """
        now = time.monotonic()
        return now - self._beaten < GAP_SECONDS and now - self._steady_since > DEAD_SECONDS

    def _run(self) -> None:
        connection: psycopg.Connection | None = None
        while not self._end.wait(BEAT_SECONDS):
            if time.monotonic() - self._ticked > STUCK_SECONDS:
                continue
            children.say_alive()  # the loop may stand still for a while; a process that is frozen says nothing at all
            try:
                connection = connection or psycopg.connect(self._database_url, autocommit=True, connect_timeout=2)
                self._beat(connection)
            except psycopg.Error as error:
                _log.warning("heartbeat missed", error=first_line(error))
                connection = _closed(connection)
        _closed(connection)

    def _beat(self, connection: psycopg.Connection) -> None:
        counts = counted()
        with connection.transaction():  # no session state: a pooler may stand in between
            connection.execute("SET LOCAL synchronous_commit = off")
            if counts == self._told:
                connection.execute("UPDATE processes SET seen_at = now() WHERE process_id = %s", (self._process_id,))
            else:
                connection.execute(_BEAT_AND_TELL, (Jsonb({"counts": counts}), self._process_id))
        self._told = counts
        now = time.monotonic()
        if now - self._beaten > GAP_SECONDS:
            self._steady_since = now
        self._beaten = now


def _closed(connection: psycopg.Connection | None) -> None:
    if connection:
        connection.close()
