"""Whether PostgreSQL, Redis and a worker are there, for `nod doctor`."""

from nod.doctor import Finding
from nod.errors import ConfigError
from nod.health import look_over, sentence
from nod.language import Language
from nod.program import make_up, typed
from nod.saying import say
from nod.settings import Settings


async def servers(settings: Settings, language: Language) -> Finding:
    """Return whether everything stands that an answer needs on this side of the network, and a nod that runs here."""
    del language  # the health phrases are in the terminal's, which doctor hands on
    try:
        found, _ = await look_over(settings)
    except ConfigError:
        return Finding("servers", "broken", say("doctor.not_running", data=settings.data_dir), make_up())
    wrong = sorted((check for check in found if not check.is_well), key=lambda check: not check.is_needed)
    if not wrong:
        return Finding("servers", "ok", say("doctor.well"))
    told = "; ".join(f"{say(f'health.name.{check.name}')}: {sentence(check)}" for check in wrong)
    return Finding("servers", "broken" if wrong[0].is_needed else "ok", told, f"{typed()} status" if wrong[0].is_needed else "")
