"""Question → answer: remember, wait for files, search, then let the model speak, or quote. Small talk is answered at once."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledge.search import Found
from knowledge.teaching import scope_taught_in
from nod.contracts import Outcome
from nod.errors import ModelError, first_line
from nod.logs import log
from nod.pause import pause
from nod.process import STORE_ERRORS
from nod.record import Record
from nod.tasks import together
from workers.alone import offer_alone
from workers.attempt import Attempt
from workers.evidence import check, is_unfounded
from workers.faults import PASSING
from workers.files import Given, files_given
from workers.light import Light
from workers.looking import look
from workers.memory import Memory, within
from workers.quotes import is_asked_in_vain, nearest, quoted, unknown, unread
from workers.small_talk import replied
from workers.spending import Spending

if TYPE_CHECKING:
    from workers.agent import Agent

_log = log(__name__)


@dataclass(frozen=True, slots=True)
class Conversation:
    """How questions are answered in this process. Without an agent (no model is connected) documents are quoted."""

    record: Record
    memory: Memory
    agent: "Agent | None"
    spending: Spending
    light: Light | None = None

    async def answer(self, attempt: Attempt) -> Outcome:
        """Return how an attempt ended. Raises only what a strike or an outage is for."""
        task = attempt.task
        attempt.saying.tell("started")
        attempt.remembered, scopes = await together(self.memory.turns(task), attempt.scopes())  # to be asked beside, not before
        if said := await replied(attempt):
            return await _without_model(attempt, Given(), said)
        attempt.turns = within(await self.memory.seen(task, attempt.remembered, scopes), self.memory.settings.memory_tokens)
        given = await files_given(attempt, self.record.engine)
        try:
            found = await self._found(attempt)
            outcome = await self._said(attempt, found, given)
        finally:
            self.spending.add(attempt.cost_usd)
        if "unknown" in outcome.notices:
            await self.record.keep_gap(task.question_id, scope_taught_in(task.place, task.person), task.language)
            try:
                await offer_alone(attempt)
            except STORE_ERRORS as error:  # what is only offered does not cost the answer
                _log.warning("not offered to be seen alone", error=first_line(error))
        return outcome

    async def _found(self, attempt: Attempt) -> Found:
        """Return what a search for the question finds, the earlier questions of the conversation in mind."""
        query = attempt.task.text
        earlier = [turn.text for turn in attempt.turns if turn.role == "user"]
        found = await look(attempt, query, earlier)
        passages = len(found.passages) if found.is_known or self.agent else 0
        attempt.saying.tell("step", "searched", passages=passages)
        attempt.tool_calls.append({"name": "search_knowledge", "arguments": {"query": query}, "step": 0, "passages": passages})
        return found

    async def _said(self, attempt: Attempt, found: Found, given: Given) -> Outcome:
        if self.agent is None:
            quotes = _quotes(attempt, found)
            if quotes and is_asked_in_vain(attempt.task.text, quotes):
                return await _without_model(attempt, given, nearest(attempt, quotes), "no_model", "unknown")
            return await _without_model(attempt, given, quotes or await unknown(attempt, found), "no_model" if quotes else "unknown")
        if await self.spending.is_reached():
            notices = ("daily_limit", "admins_told") if self.spending.is_told else ("daily_limit",)
            return await _without_model(attempt, given, _quotes(attempt, found) or await unknown(attempt, found), *notices)
        try:
            await self.agent.answer(attempt, found, given)
        except ModelError as error:
            _log.warning("model failed", kind=error.kind, error=str(error))
            return await _after_fault(attempt, found, given, error.kind)
        noticed = list(attempt.notices)  # of the answer as such: what the check says of its sentences goes with them
        await check(attempt, self.light)
        if attempt.saying.is_unknown:
            attempt.notices.append("unknown")
            if not attempt.text:
                attempt.grow(await unknown(attempt, found))
        elif is_unfounded(attempt.citations or (), attempt.text, attempt.shelf):
            attempt.withhold(await unknown(attempt, found))
            attempt.notices = [*noticed, "withheld", "unknown"]
        return attempt.answered(*attempt.notices)


async def _after_fault(attempt: Attempt, found: Found, given: Given, kind: str) -> Outcome:
    """Return quotes in place of an apology when no model answers just now and the documents do; what a model said stays its answer."""
    if attempt.text or kind not in PASSING or not (quotes := _quotes(attempt, found)):
        return attempt.failed(kind)
    attempt.forget_model()
    return await _without_model(attempt, given, quotes, "model_down")


def _quotes(attempt: Attempt, found: Found) -> str:
    return quoted(attempt, found) if found.is_known else ""


async def _without_model(attempt: Attempt, given: Given, said: str, *notices: str) -> Outcome:
    attempt.grow("\n\n".join([*unread(attempt, given), said]))
    await attempt.saying.until_written()
    await pause("growing")
    return attempt.answered(*notices)
