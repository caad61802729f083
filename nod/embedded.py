"""PostgreSQL and Redis of `nod up`: started with their step on the screen, started again when they die, stopped last."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from nod.binaries import postgres_version, redis_binary
from nod.errors import UnavailableError
from nod.saying import say
from nod.screen import Screen
from nod.servers import Postgres, RedisServer, socket_folder
from nod.settings import Settings
from nod.watch import Watch


@dataclass(slots=True)
class Embedded:
    """The servers which this run started itself; those that the settings name are somebody else's."""

    settings: Settings
    watch: Watch
    screen: Screen
    postgres: Postgres | None = None
    redis: RedisServer | None = None
    is_first: bool = False
    _is_mending: bool = False

    @property
    def pids(self) -> tuple[int, ...]:
        """Return the pids of the servers that run here."""
        return tuple(server.child.pid for server in (self.postgres, self.redis) if server and server.child)

    def start_postgres(self, *, was_killed: bool) -> None:
        """Start PostgreSQL, with a new database the first time. Raises UnavailableError with the reason, ConfigError with the way out."""
        if self.settings.database_url:
            self.screen.begin(2, "PostgreSQL")
            self.screen.done(say("up.yours", name="DATABASE_URL"), is_kept=False)
            return
        self.screen.begin(2, f"PostgreSQL {postgres_version().split('.')[0]}")
        self.postgres = postgres = Postgres(self.settings.data_dir / "postgres", socket_folder(self.settings.data_dir))
        self.is_first = postgres.is_new
        if self.is_first:
            self._with_output("postgres", postgres.make)
        else:
            postgres.check_version()
            postgres.end_stale()
        was_broken = not self.is_first and postgres.was_killed()
        if was_broken:
            self.screen.part(f"{say('up.killed')} {say('up.recovering')} … ")
        since = time.monotonic()
        self._with_output("postgres", lambda output: postgres.start(output, self.watch.pause))
        if was_broken:
            self.screen.rest(say("up.recovered", seconds=f"{time.monotonic() - since:.0f}"))
        elif was_killed and not self.is_first:
            self.screen.line(f"{say('up.killed')} {say('up.closed_cleanly')}")
        self.screen.done(say("up.database_new" if self.is_first else "up.database_kept"), is_kept=self.is_first)

    def start_redis(self) -> None:
        """Start Redis. Raises UnavailableError with the reason, ConfigError with the command that installs one."""
        self.screen.begin(3, "Redis")
        if self.settings.redis_url:
            self.screen.done(say("up.yours", name="REDIS_URL"), is_kept=False)
            return
        binary = redis_binary()
        self.redis = redis = RedisServer(self.settings.data_dir / "redis", socket_folder(self.settings.data_dir))
        self._with_output("redis", lambda output: redis.start(output, self.watch.pause))
        self.screen.done(say(f"up.redis_from_{binary.origin}", version=binary.version), is_kept=self.is_first)

    def _with_output(self, name: str, start: Callable[[int], None]) -> None:
        output = self.watch.listen(name)
        try:
            start(output)
        except UnavailableError:
            self.watch.drain()
            raise UnavailableError(say("up.server_failed", name=name, why=self.watch.last_words(name), log=self.watch.log.path)) from None
        finally:
            os.close(output)

    def mend(self) -> bool:
        """Start a server again that ended by itself; return whether one had."""
        dead = [server for server in (self.postgres, self.redis) if server and server.child and server.child.poll() is not None]
        if not dead or self._is_mending:
            return False
        self._is_mending = True  # starting waits, and waiting comes here again
        try:
            for server in dead:
                self._with_output("postgres" if server is self.postgres else "redis", lambda output: server.start(output, self.watch.pause))  # noqa: B023  # called at once
        finally:
            self._is_mending = False
        return True

    def stop(self) -> None:
        """End Redis, then PostgreSQL."""
        for server in (self.redis, self.postgres):
            if server:
                server.stop()
        self.watch.drain()
