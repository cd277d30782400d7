"""Who visits: the session behind the cookie, and the proof that a form came from one of our pages.

Forms carry an HMAC of the session's secret; a form from elsewhere cannot know it. Browsers also say where a request
comes from (Sec-Fetch-Site, Origin), which is checked as well. See the OWASP cheat sheet on CSRF.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request, Response
from starlette.datastructures import FormData

from roost.people.access import Asker, NotPermitted
from roost.people.person import Person
from roost.people.revocation import Credential
from roost.people.secret_tokens import hash_secret
from roost.people.sessions import NotSignedIn
from roost.settings import Settings
from workers.web.limits import MAX_IMPORT_PAGE
from workers.web.pages.page_cache import KEY, PROOF
from workers.web.parts import Parts, parts_of

TheParts = Annotated[Parts, Depends(parts_of)]


class StaleForm(NotPermitted):
    """The form is not valid any more, or came from another site."""

    code = "stale_form"


@dataclass(frozen=True, slots=True)
class Visit:
    """A signed-in person, in one browser."""

    person: Person
    asker: Asker
    secret: str

    @property
    def credential(self) -> Credential:
        """What they showed, for streams that last only as long as it is good."""
        return Credential(hash_secret(self.secret), self.asker)

    @property
    def csrf(self) -> str:
        """What every form of this session carries."""
        return form_proof(self.secret)

    @property
    def form_key(self) -> str:
        """A fresh id for a form that is to be filled in: sent twice, it is done once."""
        return new_form_key()


@dataclass(frozen=True, slots=True)
class AnyVisit:
    """A visit as the template of a cached page sees it: marks instead of what belongs to one session and one reading."""

    person: Person
    asker: Asker
    csrf: str = PROOF
    form_key: str = KEY


def session_secret(request: Request, parts: Parts) -> str:
    """What the browser shows of its session. Raises NotSignedIn."""
    secret = request.cookies.get(cookie_name(parts.settings), "")
    if not secret or len(secret) > 100:
        raise NotSignedIn
    return secret


def find_visit(request: Request, parts: TheParts) -> Visit:
    """Who is signed in. Raises NotSignedIn."""
    secret = session_secret(request, parts)
    person = parts.sessions.find(secret)
    return Visit(person, person.asker, secret)


TheVisit = Annotated[Visit, Depends(find_visit)]


async def read_form(request: Request, visit: TheVisit) -> FormData:
    """The fields of a form that this session was given. Raises StaleForm."""
    return await checked_form(request, visit.secret)


TheForm = Annotated[FormData, Depends(read_form)]


async def checked_form(request: Request, secret: str) -> FormData:
    """The fields of a form that carries the proof of this secret. Raises StaleForm."""
    if not _from_here(request):
        raise StaleForm
    form = await request.form(max_files=1, max_fields=30, max_part_size=MAX_IMPORT_PAGE)
    if not hmac.compare_digest(text_of(form, "csrf").encode(), form_proof(secret).encode()):
        raise StaleForm
    return form


def text_of(form: FormData, name: str) -> str:
    """A text field; empty when it is not there."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def form_proof(secret: str) -> str:
    """The proof that goes with a session's or a sign-in form's secret."""
    return hmac.digest(secret.encode(), b"roost form", "sha256").hex()


def new_form_key() -> str:
    """The id of one filled-in form."""
    return secrets.token_urlsafe(12)


def cookie_name(settings: Settings, name: str = "roost") -> str:
    """The cookie's name; with TLS it is one that no other host or path can set."""
    return f"__Host-{name}" if _secure(settings) else name


def set_cookie(
    response: Response, settings: Settings, secret: str, name: str = "roost", lifetime: float | None = None
) -> None:
    """Give the browser a secret that scripts cannot read and other sites cannot send; for the time of a session, or longer."""
    response.set_cookie(
        cookie_name(settings, name), secret, max_age=int(lifetime or settings.session_lifetime), path="/", secure=_secure(settings),
        httponly=True, samesite="lax",
    )  # fmt: skip


def forget_cookie(response: Response, settings: Settings, name: str = "roost") -> None:
    """Take it back."""
    response.delete_cookie(
        cookie_name(settings, name), path="/", secure=_secure(settings), httponly=True, samesite="lax"
    )


def sign_in_address(request: Request) -> str:
    """Where to sign in, and come back from to the page that was asked for."""
    if request.method != "GET" or request.url.path == "/":
        return "/sign-in"
    return "/sign-in?" + urlencode({"next": request.url.path})


def local_path(address: str) -> str:
    """The address if it is a path of ours, else the start page: nobody is sent elsewhere."""
    ours = (
        len(address) < 300 and address.isprintable() and address.startswith("/") and not address.startswith("//")
        and "\\" not in address
    )  # fmt: skip
    return address if ours else "/"


def address_of(request: Request) -> str:
    """Where the visitor is: the connection's address, or what a trusted proxy says."""
    return request.client.host[:64] if request.client else "unknown"


def _from_here(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    # Compared as text: what is no address at all is refused, too.
    return origin is None or origin.partition("://")[2] == request.headers.get("host")


def _secure(settings: Settings) -> bool:
    return settings.web_url is not None and settings.web_url.startswith("https:")
