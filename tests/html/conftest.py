"""The built book in a browser, with every other host cut off."""

import contextlib
import functools
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import specimen
import yaml
from filelock import FileLock
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    expect,
    sync_playwright,
)
from xdist.scheduler import LoadScheduling

from llmbook_utils.explorers.core.explorer import MIME, document

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
SHOTS = os.environ.get("LLMBOOK_SCREENSHOTS")  # a folder, for whoever looks at them
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # No name but this machine's can be found: nothing can leave.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
# Against a test that would never end; no limit says how fast a machine has to be.
HANGING = 180_000  # milliseconds
expect.set_options(timeout=HANGING)
# By how many pixels a page is wider than its window.
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def toc_pages(root: Path) -> list[str]:
    """List the pages that ``_toc.yml`` names, in order."""

    def walk(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            for key, value in node.items():
                if key in ("root", "file"):
                    yield value
                else:
                    yield from walk(value)
        elif isinstance(node, list):
            for item in node:
                yield from walk(item)

    return list(walk(yaml.safe_load((root / "_toc.yml").read_text())))


BOOK_PAGES = [("book", name) for name in toc_pages(ROOT)]
SPECIMEN_PAGES = [("specimen", "book/index"), ("specimen", specimen.PAGE)]
ALL_PAGES = BOOK_PAGES + SPECIMEN_PAGES


def run_build(source: Path, output: Path) -> subprocess.CompletedProcess[str]:
    """Build a book as ``make book`` does: warnings are errors."""
    tool = Path(sys.executable).with_name("jupyter-book")
    options = ["-W", "-n", "--keep-going", "--path-output", str(output)]
    return subprocess.run(
        [str(tool), "build", str(source), *options],
        capture_output=True,
        text=True,
        check=False,
    )


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScheduling:
    """Hand out few tests at a time: some take a hundred times as long as others."""
    config.option.maxschedchunk = 1
    return LoadScheduling(config, log)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let ``-k 06_neural`` choose the tests of that chapter's explorer, too."""
    if page := getattr(getattr(item, "module", None), "PAGE", None):
        item.extra_keyword_matches.add(page)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker idles at the end.

    One worker builds the book for its first two pages; the next one has meanwhile what
    needs no book.
    """
    pages = [item for item in items if "::test_page[book" in item.nodeid]
    alone = ("test_breakage.py", "test_book_builds", "in_jupyterlab")
    builds = [item for item in items if any(name in item.nodeid for name in alone)]
    first = [*pages[:2], *builds, *pages[2:]]
    items[:] = [*first, *(item for item in items if item not in first)]


@dataclass
class Site:
    """A built book: its sources, its pages on disk, and their address."""

    source: Path
    html: Path = Path()
    url: str = ""
    log: str = ""  # why it could not be built

    def explorers(self, page: str, kind: str) -> list[dict]:
        """List what a page's explorers of a kind store."""
        found = [output.get(MIME, {}) for output in self.outputs(page)]
        return [data for data in found if data.get("kind") == kind]

    def outputs(self, page: str) -> list[dict]:
        """List the stored outputs of a page's notebook, by MIME type."""
        path = self.source / f"{page}.ipynb"
        if not path.is_file():
            return []
        cells = json.loads(path.read_text())["cells"]
        return [o["data"] for c in cells for o in c.get("outputs", ()) if "data" in o]


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # a page asks for forty files: keep the connection

    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of this machine."""
    handler = functools.partial(_QuietHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def build_once(name: str, output: Path) -> tuple[Path, Path, str]:
    """Build a book that is not there yet; its sources, its pages, what went wrong."""
    source, log = ROOT, output / "log.txt"
    if name == "specimen":
        source = output / "source"
    if not log.exists():
        output.mkdir()
        if name == "specimen":
            specimen.write_book(source)
        done = run_build(source, output)
        wrong = done.stdout[-3000:] + done.stderr[-3000:]
        log.write_text(wrong if done.returncode else "")
    return source, output / "_build" / "html", log.read_text()


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """Build and serve a book when it is first asked for, by name."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # what one worker builds, the others serve too
    with contextlib.ExitStack() as stack:

        @functools.cache
        def get(name: str) -> Site:
            with FileLock(shared / f"{name}.lock"):
                source, html, log = build_once(name, shared / name)
            if log:
                return Site(source, log=log)
            return Site(source, html, stack.enter_context(serve(html)))

        def get_built(name: str) -> Site:
            site = get(name)  # a failed build is not tried again for every test
            if site.log:
                pytest.fail(f"{name} was not built:\n{site.log}", pytrace=False)
            return site

        yield get_built


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium: the system's, or Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("LLMBOOK_CHROMIUM") or next(
        filter(None, map(shutil.which, names)), None
    )
    with sync_playwright() as playwright:
        try:
            made = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        except Exception as error:
            pytest.fail(
                f"no Chromium could be started ({error}); install the package "
                "chromium, or run `python -m playwright install chromium`"
            )
        yield made
        made.close()


def fetch_axe(folder: Path) -> None:
    """Install axe-core by its lock file; another run may do the same at this time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as fresh:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, fresh)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(
            command, cwd=fresh, capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.fail(f"npm could not fetch axe-core:\n{done.stderr}", pytrace=False)
        with contextlib.suppress(OSError):  # the other run was faster
            Path(fresh).rename(folder)
        Path(fresh).mkdir(exist_ok=True)  # for the clean-up to find


@pytest.fixture(scope="session")
def axe() -> str:
    """Read axe-core's script, fetched once by npm into a cache."""
    lock = (HERE / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "llmbook" / f"axe-{hashlib.sha256(lock).hexdigest()[:12]}"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        if shutil.which("npm") is None:
            pytest.fail("the accessibility test needs npm; install the package npm")
        fetch_axe(folder)
    return script.read_text(encoding="utf-8")


@dataclass
class Visit:
    """A page in the browser, and what went wrong while it was open."""

    page: Page
    outside: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    data: dict = field(default_factory=dict)  # of the explorer that is looked at

    def watch(self, home: str) -> None:
        """Record requests to other hosts, which Chromium cannot find, and failures."""

        def note(request: Request) -> None:
            url = urlsplit(request.url)
            is_home = f"{url.scheme}://{url.netloc}" == home
            if not is_home and url.scheme not in ("data", "blob", "about"):
                self.outside.append(request.url)

        self.page.on("request", note)
        self.page.on("requestfailed", lambda r: self.failed.append(r.url))
        self.page.on(
            "response",
            lambda r: self.failed.append(f"{r.status} {r.url}") if not r.ok else None,
        )
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console",
            lambda m: self.errors.append(m.text) if m.type == "error" else None,
        )


def settle(page: Page) -> None:
    """Wait until formulas are set and, scrolling past them, all plots are drawn."""
    page.wait_for_load_state("load")
    page.evaluate("window.MathJax && MathJax.startup && MathJax.startup.promise")
    page.evaluate(
        """async () => {
          for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
            scrollTo(0, y);
            await new Promise(requestAnimationFrame);
          }
          scrollTo(0, 0);
        }"""
    )
    page.wait_for_function(
        "!document.querySelector('.llmbook-plot:not([data-drawn=yes])')"
    )
    page.evaluate("document.fonts.ready.then(() => true)")


@functools.cache
def reader(browser: Browser, scheme: str, width: int) -> BrowserContext:
    """Make a reader with a colour scheme and a width; caches are warm between pages."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    context.set_default_timeout(HANGING)
    return context


@contextlib.contextmanager
def open_page(
    browser: Browser,
    address: str,
    scheme: str = "light",
    width: int = 1280,
    is_whole: bool = True,
) -> Iterator[Visit]:
    """Open an address as a reader with the given colour scheme and width would.

    It is settled, all plots drawn, if ``is_whole``.
    """
    visit = Visit(reader(browser, scheme, width).new_page())
    parts = urlsplit(address)
    visit.watch(f"{parts.scheme}://{parts.netloc}")
    try:
        visit.page.goto(address)
        if is_whole:
            settle(visit.page)
        yield visit
    finally:
        visit.page.evaluate("localStorage.clear()")  # the theme that a test chose
        visit.page.close()


@contextlib.contextmanager
def open_alone(
    browser: Browser, data: dict, width: int, motion: str = "reduce"
) -> Iterator[Page]:
    """Open an explorer's data by themselves, as in a frame of a live notebook."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, reduced_motion=motion
    )
    context.set_default_timeout(HANGING)
    made, errors = context.new_page(), []
    made.on("pageerror", lambda error: errors.append(str(error)))
    made.set_content(document(data))
    yield made
    too_wide = made.evaluate(OVERFLOW)
    context.close()
    assert errors == [] and too_wide <= 0


@pytest.fixture(params=[1000, 390])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """Open the EXPLORER of a module of tests, wide and narrow."""
    with open_alone(browser, request.module.EXPLORER.data, request.param) as made:
        yield made


@pytest.fixture(params=[1000, 390], ids=["wide", "narrow"])
def visit(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Visit]:
    """Open what the PAGE of a module of tests stores for its explorer of a KIND."""
    module = request.module
    [data] = Site(ROOT).explorers(module.PAGE, module.KIND)
    with open_alone(browser, data, request.param) as page:
        yield Visit(page, data=data)
