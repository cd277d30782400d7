"""Debian's Chromium, driven by Playwright: people with scripts, eyes and a keyboard."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.web.office import Office

#: Milliseconds until what is expected must be there. Others share this machine.
PATIENCE = 20_000
#: What keeps Chromium from talking to the world.
_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
_AXE = Path(__file__).parent / "vendor" / "axe.min.js"
WIDTHS = (360, 1920)


def launch() -> Iterator[Browser]:
    """Start the browser: the one without windows, which takes half the processor time."""
    program = shutil.which("chromium-headless-shell")
    assert program, "these tests need Debian's package chromium-headless-shell"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def visitor(
    browser: Browser, office: Office, login: str | None = None, *, dark: bool = False, width: int = 1280,
    zone: str | None = None, scripts: bool = True,
) -> Iterator[Page]:  # fmt: skip
    """A person with a window of their own, signed in; fails when a page has a script error or a refused resource."""
    context: BrowserContext = browser.new_context(
        base_url=office.address,
        color_scheme="dark" if dark else "light",
        viewport={"width": width, "height": 900},
        timezone_id=zone,
        java_script_enabled=scripts,
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: _note(message, wrong))
    try:
        if login is not None:
            page.goto("/sign-in")
            page.get_by_label("Login").fill(login)
            page.get_by_label("Password").fill(office.password)
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("button", name="Sign out").wait_for()
        yield page
        assert wrong == [], wrong
    finally:
        context.close()


def _note(message: ConsoleMessage, wrong: list[str]) -> None:
    # That an answer had an error's status, or the server was away, is for the page to say; tests look at that.
    # "[object Event]" is all that htmx writes about an event stream that broke off.
    about_network = message.text.startswith("Failed to load resource") or "htmx:" in message.text
    broken_stream = message.text == "[object Event]"
    told = about_network or broken_stream or "Response Status" in message.text
    if message.type == "error" and not told:
        wrong.append(message.text)


def serious_faults(page: Page, *, of_colors: bool = False) -> list[tuple[str, str]]:
    """What axe-core finds on the page as it stands: (rule, element). `of_colors`: only what its rules on colors find."""
    rules = "runOnly: ['color-contrast', 'link-in-text-block'], " if of_colors else ""
    # Playwright's own channel: the page's content security policy forbids a script of ours.
    session = page.context.new_cdp_session(page)
    known = session.send("Runtime.evaluate", {"expression": "'axe' in window", "returnByValue": True})
    if not known["result"]["value"]:
        session.send("Runtime.evaluate", {"expression": _AXE.read_text(encoding="utf-8")})
    found = session.send(
        "Runtime.evaluate",
        {
            "expression": f"axe.run({{{rules}resultTypes: ['violations']}})"
            ".then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact))"
            ".flatMap(v => v.nodes.map(n => [v.id, n.html.slice(0, 200)])))",
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    session.detach()
    return [(rule, html) for rule, html in found["result"]["value"]]


def overflows(page: Page) -> bool:
    """Whether the page must be scrolled sideways."""
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    return bool(page.evaluate(wider))
