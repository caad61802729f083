"""What a route asks of its visitor: to be signed in, to have a role, to write as the session it claims to be."""

import secrets

from fastapi import Depends, HTTPException, Request

from bot.web.page import Looking

CSRF_HEADER = "x-csrf-token"


async def own_call(request: Request, visitor: Looking) -> None:
    """Refuse a writing call that does not carry its session's CSRF token; reading needs none."""
    if request.method in ("GET", "HEAD") or not visitor.session:
        return
    given = request.headers.get(CSRF_HEADER, "")
    if not secrets.compare_digest(given.encode(), visitor.session.csrf_token.encode()):
        raise HTTPException(403, "error.csrf")


async def is_member(visitor: Looking) -> None:
    """Refuse strangers."""
    if not visitor.session:
        raise HTTPException(401, "error.signed_out")


async def is_reviewer(visitor: Looking) -> None:
    """Refuse whoever may not see what others think."""
    await is_member(visitor)
    if not visitor.me.may_review:
        raise HTTPException(403, "error.reviewers_only")


async def is_admin(visitor: Looking) -> None:
    """Refuse whoever is no admin."""
    await is_member(visitor)
    if not visitor.me.is_admin:
        raise HTTPException(403, "error.admins_only")


MEMBERS = [Depends(is_member), Depends(own_call)]
REVIEWERS = [Depends(is_reviewer), Depends(own_call)]
ADMINS = [Depends(is_admin), Depends(own_call)]
