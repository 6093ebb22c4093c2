"""A real Chromium that visits the site as in production, and fails a test on what goes wrong behind a page."""

import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command
from django.test import override_settings
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from config.settings import STORAGES

SCREENS = {"phone": (390, 844), "desktop": (1280, 900)}
# A machine that does much else at the same time is slow, not wrong.
expect.set_options(timeout=20_000)
FLAGS = [
    "--no-sandbox",  # containers run tests as root
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@pytest.fixture(scope="session")
def collected_static(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Static files under their hashed names, compressed, as visitors get them."""
    with override_settings(STATIC_ROOT=tmp_path_factory.mktemp("collected"), STORAGES=STORAGES):
        call_command("collectstatic", verbosity=0, interactive=False)
        yield


@pytest.fixture(scope="session")
def live_server(django_db_setup: None, collected_static: None) -> Iterator[LiveServer]:
    """The site on a free port of 127.0.0.1; WhiteNoise serves the static files, not Django's helper for tests."""
    server = LiveServer("127.0.0.1", start=False)
    server.thread.static_handler = lambda application: application
    # At its default, "/", Django's live server looks for every path among the files of the working directory first.
    with override_settings(MEDIA_URL="/no-media/"):
        server.start()
    with override_settings(SITE_URL=server.url, CSRF_TRUSTED_ORIGINS=[server.url]):
        yield server
    server.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread, which makes Django refuse to touch the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=FLAGS
        )
        yield browser
        browser.close()


class Observer:
    """Notes what goes wrong behind a page: requests to other hosts, errors in the console, files that do not load."""

    def __init__(self, context: BrowserContext, site: str) -> None:
        self.host = urlsplit(site).netloc
        self.problems: list[str] = []
        context.on("request", self.on_request)
        context.on("response", self.on_response)
        context.on("console", lambda message: self.on_console(message.type, message.text))
        context.on("weberror", lambda error: self.problems.append(f"script error: {error.error}"))

    def on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.netloc != self.host:
            self.problems.append(f"request to another host: {request.url}")

    def on_response(self, response: Response) -> None:
        acceptable = 500 if response.request.resource_type == "document" else 400
        if response.status >= acceptable:
            self.problems.append(f"{response.status}: {response.url}")

    def on_console(self, kind: str, text: str) -> None:
        # Chromium also reports pages that answer 4xx here; files that do are noted above.
        if kind in {"error", "warning"} and not text.startswith("Failed to load resource"):
            self.problems.append(f"console {kind}: {text}")


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Callable[..., Page]]:
    """`visit("/petitions/x/", screen="phone", dark=True, javascript=False)` is a new visitor's first page.

    Each call has cookies of its own; more options go to Playwright's `new_context`. When the test ends, whatever an
    `Observer` noted fails it.
    """
    contexts: list[BrowserContext] = []
    observers: list[Observer] = []

    def open_page(
        path: str = "/",
        *,
        screen: str = "desktop",
        dark: bool = False,
        javascript: bool = True,
        **options: Any,
    ) -> Page:
        width, height = SCREENS[screen]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            base_url=live_server.url,
            **options,
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        observers.append(Observer(context, live_server.url))
        page = context.new_page()
        page.goto(path)
        return page

    yield open_page

    for context in contexts:
        context.close()
    assert [problem for observer in observers for problem in observer.problems] == []


@pytest.fixture
def assert_accessible() -> Callable[[Page], None]:
    """`assert_accessible(page)` fails with axe's report when it finds a violation on the page as it is now."""

    def check(page: Page) -> None:
        results = Axe().run(page)

        assert results.violations_count == 0, results.generate_report()

    return check
