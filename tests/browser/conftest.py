"""A real browser over real pages: Debian's Chromium, driven by Playwright.

Without it these tests are skipped, with one reason; where the environment says CI=true they fail instead.
"""

import os
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FACTORY = Path(__file__).resolve().parents[1] / "runner" / "reports" / "scorecards.py"


def _missing(reason):
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser():
    """One browser for all tests of this folder."""
    if not CHROMIUM.exists():
        _missing(f"{CHROMIUM} is missing: apt-get install --no-install-recommends chromium fonts-dejavu-core")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright is missing: install the development dependencies")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="session")
def cards(module_at):
    """The factory of scorecards that the reports' own tests use."""
    return module_at(FACTORY)


class Visit:
    """A page that was opened, and everything it did that a report must not do."""

    def __init__(self, page, address):
        self.page, self.dialogs, self.console, self.requests, self.errors = page, [], [], [], []
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda message: self.console.append(message.text))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("popup", lambda popup: self.requests.append(popup.url))
        page.goto(address, wait_until="load")

    def deeds(self):
        """Dialogs, console messages, errors, and requests beyond the page itself."""
        return [*self.dialogs, *self.console, *self.errors, *self.requests[1:]]


@pytest.fixture
def visit(browser, tmp_path):
    """Open an HTML text as a file; options are those of a browser context. The contexts end with the test."""
    contexts = []

    def open_page(html, **options):
        file = tmp_path / f"report-{len(contexts)}.html"
        file.write_text(html, encoding="utf-8")
        context = browser.new_context(**options)
        contexts.append(context)
        return Visit(context.new_page(), file.as_uri())

    yield open_page
    for context in contexts:
        context.close()
