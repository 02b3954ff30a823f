"""A page in headless Chromium, for the tests that open one. Import it before the tests' own modules:

    from browser import PageTest, expect, setUpModule, tearDownModule

Runs the program again with RONDO_PYTHON if that is set. Exit status 77, reported as skipped, without playwright (PyPI) or
without a Chromium (Debian's package, or the program that RONDO_CHROMIUM names).
"""

import os
import shutil
import sys

PYTHON = os.environ.get("RONDO_PYTHON")
if PYTHON and os.path.exists(PYTHON) and os.environ.get("RONDO_PYTHON_STARTED") != "1":
    os.execve(PYTHON, [PYTHON, *sys.argv], os.environ | {"RONDO_PYTHON_STARTED": "1"})

CHROMIUM = os.environ.get("RONDO_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
try:
    from playwright.sync_api import expect, sync_playwright
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
if not CHROMIUM:
    print("skipped: there is no chromium")
    sys.exit(77)


def setUpModule():
    global playwright, browser
    playwright = sync_playwright().start()
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


def tearDownModule():
    browser.close()
    playwright.stop()


class PageTest:
    """Beside a TestCase."""

    def open_address(self, address, is_own=None, expected_errors=(), **options):
        """A page; what the console says, or a request elsewhere, fails the test. is_own(url): not elsewhere; else `address` alone."""
        is_own = is_own or (lambda url: url == address)
        context = browser.new_context(**options)
        self.addCleanup(context.close)
        page = context.new_page()
        said, asked = [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        self.addCleanup(lambda: self.assertEqual([text for text in said if not any(e in text for e in expected_errors)], []))
        self.addCleanup(lambda: self.assertEqual([url for url in asked if not is_own(url) and not url.startswith("data:")], []))
        page.goto(address)
        return page
