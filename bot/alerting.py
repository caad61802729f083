"""The admins of a platform are told once a day that the daily limit is near, and once that it is used up: each in a direct message."""

from bot.faces import PHRASES
from bot.platform import ChatPlatform, PlatformError
from nod.budget import begin_alert, end_alert, spent_today
from nod.language import language_from
from nod.logs import log
from nod.process import Services

_log = log(__name__)


async def tell_admins(services: Services, platform: ChatPlatform) -> None:
    """Tell the admins whom NOD_ADMINS names on a platform what there is to tell; when nobody can be reached it is tried again later."""
    settings, here = services.settings, f"{platform.name}:"
    admins = [admin.removeprefix(here) for admin in settings.admins if admin.startswith(here)]
    if not admins or not settings.daily_limit_usd:
        return
    spent = await spent_today(services.engine)
    percent = spent.percent(settings.daily_limit_usd)
    if not percent or not (day := await begin_alert(services.engine, platform.name, percent)):
        return
    key = "budget.reached" if percent == 100 else "budget.near"
    text = PHRASES.say(key, language_from(settings.language), spent=f"{spent.usd:.2f}", limit=f"{settings.daily_limit_usd:.2f}")
    if any([await _is_told(platform, admin, text) for admin in admins]):
        await end_alert(services.engine, platform.name, percent, day)


async def _is_told(platform: ChatPlatform, admin: str, text: str) -> bool:
    try:
        await platform.tell(admin, text)
    except PlatformError as error:
        _log.warning("an admin could not be told of the daily limit", error=str(error))
        return False
    return True
