"""Ways in and out: the one-time link, the language switch, signing out.

Opening a link only shows a button: chat programs open links to preview them, and a preview must not use one up.
"""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from bot.web.checks import MEMBERS, own_call
from bot.web.page import LANGUAGE_COOKIE, SESSION_COOKIE, Here, Looking, Web
from nod.accounts import SESSION_DAYS, link_works, sign_in, sign_out, speak
from nod.errors import NotFoundError
from nod.language import Language

router = APIRouter()
_YEAR_SECONDS = 365 * 24 * 3600


@router.get("/")
async def home() -> RedirectResponse:
    """Go to the chat."""
    return RedirectResponse("/chat", 303)


@router.get("/in/{token}")
async def greet(token: str, web: Here, visitor: Looking) -> HTMLResponse:
    """Show the button that signs in; look at the link without using it up."""
    if await link_works(web.services.engine, token):
        return web.page("signin/greet.html", visitor, token=token)
    return web.page("signin/used.html", visitor, status=410)


@router.post("/in/{token}")
async def enter(token: str, web: Here, visitor: Looking) -> Response:
    """Use the link up and begin a session."""
    try:
        signed_in = await sign_in(web.services.engine, web.services.settings, token)
    except NotFoundError:
        return web.page("signin/used.html", visitor, status=410)
    answer = RedirectResponse("/chat", 303)
    _keep(answer, web, SESSION_COOKIE, signed_in.token, SESSION_DAYS * 24 * 3600)
    return answer


@router.post("/out", dependencies=MEMBERS)
async def leave(request: Request, web: Here) -> Response:
    """End the session."""
    await sign_out(web.services.engine, request.cookies.get(SESSION_COOKIE, ""))
    answer = Response(status_code=204, headers={"HX-Redirect": "/chat"})
    answer.delete_cookie(SESSION_COOKIE)
    return answer


@router.post("/language", dependencies=[Depends(own_call)])
async def choose(language: Annotated[Language, Form()], web: Here, visitor: Looking) -> Response:
    """Show pages in another language from now on."""
    if visitor.session:
        await speak(web.services.engine, visitor.session.account_id, language)
    answer = Response(status_code=204, headers={"HX-Refresh": "true"})
    _keep(answer, web, LANGUAGE_COOKIE, language, _YEAR_SECONDS)
    return answer


def _keep(answer: Response, web: Web, name: str, value: str, seconds: int) -> None:
    is_https = urlsplit(web.services.settings.public_url).scheme == "https"
    answer.set_cookie(name, value, max_age=seconds, httponly=True, secure=is_https, samesite="lax", path="/")
