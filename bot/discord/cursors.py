"""The last message heard in each channel, kept in the record: from there on is read what was said while nod was away."""

from nod.record import Record


class Cursors:
    """One cursor per channel. It stays before a message until that message's question is committed.

    While frozen (from a lost connection until what was missed has been read) no cursor moves past what may have been missed.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._kept: dict[str, int] = {}
        self._reached: dict[str, tuple[str, int]] = {}
        self._open: dict[str, set[int]] = {}
        self._is_frozen = True

    async def load(self) -> None:
        """Read where the process before this one was."""
        self._kept = {channel: int(message_id) for channel, (message_id, _) in (await self._record.seen_messages("discord")).items()}

    def positions(self) -> dict[str, int]:
        """Return the last message heard, by channel."""
        return dict(self._kept)

    def freeze(self) -> None:
        """Keep the cursors where they are until `thaw`."""
        self._is_frozen = True

    async def thaw(self) -> None:
        """Let the cursors move to what was heard meanwhile."""
        self._is_frozen = False
        for channel, (workspace, message_id) in list(self._reached.items()):
            await self._move(workspace, channel, message_id)

    async def begin(self, workspace: str, channel: str, message_id: int) -> None:
        """Say that a message is being heard. The first one of a channel leaves a trace even before it is kept, so it is found again."""
        self._open.setdefault(channel, set()).add(message_id)
        if channel not in self._kept:
            await self._keep(workspace, channel, message_id - 1)

    async def done(self, workspace: str, channel: str, message_id: int) -> None:
        """Say that a message needs no more hearing; the cursor moves to it, unless an earlier one is still being heard."""
        still_open = self._open.get(channel, set())
        still_open.discard(message_id)
        if not still_open:
            self._open.pop(channel, None)
        await self._move(workspace, channel, min(still_open) - 1 if still_open else message_id)

    async def _move(self, workspace: str, channel: str, message_id: int) -> None:
        message_id = max(message_id, self._reached.get(channel, ("", 0))[1])
        if self._is_frozen:
            self._reached[channel] = (workspace, message_id)
            return
        self._reached.pop(channel, None)
        if message_id > self._kept.get(channel, 0):
            await self._keep(workspace, channel, message_id)

    async def _keep(self, workspace: str, channel: str, message_id: int) -> None:
        await self._record.seen_message("discord", workspace, channel, str(message_id))
        self._kept[channel] = message_id
