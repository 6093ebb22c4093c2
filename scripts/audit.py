"""Checks the public pages with the W3C's validator and with Lighthouse, on the site as it is deployed.

Not part of the tests: it needs Java and npm, and fetches both tools once, into var/audit/.
"""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from end_with_parent import end_with_parent

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "var" / "audit"
TOOLS = ("lighthouse@13.5.0", "vnu-jar@26.9.27")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
DEMAND, THANK_YOU = "open-sundays-rivermouth", "open-sundays-thank-you"
SIGNER = "connie@people.example"
TARGETS = {"performance": 98, "accessibility": 100, "best-practices": 100, "seo": 100}
RUNS = 3  # of Lighthouse for each page; the middle one counts, for other programs take their share of the machine
STARTS_WITHIN = 60  # seconds


def main() -> int:
    end_with_parent()
    require("java", "npm", "node", CHROMIUM)
    fetch_tools()
    port = free_port()
    environment = settings(port)
    set_up(environment)
    with web_server(environment, port):
        site = Site(environment["SITE_URL"], environment)
        pages = site.pages()
        mistakes = validate(pages)
        scores = [
            measure(site.url + path) for path in (f"/petitions/{DEMAND}/", f"/petitions/{THANK_YOU}/", "/")
        ]
    print(f"Validator: {len(pages)} files, {mistakes} mistakes")
    return 0 if not mistakes and all(scores) else 1


def require(*programs: str) -> None:
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        sys.exit(
            f"Missing: {' '.join(missing)}. On Debian or Ubuntu: sudo apt-get install default-jre-headless npm chromium"
        )


def fetch_tools() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = FOLDER / "tools.txt"
    if wanted.exists() and wanted.read_text().split() == list(TOOLS):
        return
    quietly = ("--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    if subprocess.run(
        ["npm", "install", "--prefix", FOLDER, *quietly, *TOOLS], cwd=FOLDER, check=False
    ).returncode:
        sys.exit("npm could not fetch the tools; the lines above say why.")
    wanted.write_text("\n".join(TOOLS))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def settings(port: int) -> dict[str, str]:
    """As deployed, but for HTTPS, which would need a certificate."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "off",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "SITE_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{FOLDER / 'site.sqlite3'}",
        "EMAIL_URL": f"filemail://{FOLDER / 'mail'}",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WEB_CONCURRENCY": "2",
        "WEB_THREADS": "4",
    }


def set_up(environment: dict[str, str]) -> None:
    for old in FOLDER.glob("site.sqlite3*"):
        old.unlink()
    shutil.rmtree(FOLDER / "mail", ignore_errors=True)
    for command in (["migrate", "--no-input"], ["collectstatic", "--no-input"], ["load_demo"]):
        manage(environment, *command)


def manage(environment: dict[str, str], *command: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\nmanage.py {command[0]} failed.")


@contextmanager
def web_server(environment: dict[str, str], port: int) -> Iterator[None]:
    with (FOLDER / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--log-level=warning", "config.wsgi"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            preexec_fn=end_with_parent,
        )
    try:
        wait_until(lambda: answers(port))
        yield
    finally:
        server.terminate()
        server.wait()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("The web server did not answer.")
        time.sleep(0.1)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Site:
    """The running site, visited as a browser would."""

    def __init__(self, url: str, environment: dict[str, str]) -> None:
        self.url = url
        self.environment = environment
        self.opener = build_opener(Stay(), ProxyHandler({}))

    def ask(self, path: str, typed: dict[str, str] | None = None, *, silent: bool = False) -> tuple[str, str]:
        """Body and Location. With `typed` a post; `silent` says nothing about where it comes from."""
        body = None if typed is None else urlencode(typed).encode()
        headers = {} if silent else {"Sec-Fetch-Site": "same-origin"}
        try:
            with self.opener.open(Request(self.url + path, body, headers), timeout=30) as answer:  # noqa: S310
                return answer.read().decode(), ""
        except HTTPError as error:
            return error.read().decode(), error.headers.get("Location", "")

    def pages(self) -> list[Path]:
        """Every kind of page, written to files, with the style sheets they load."""
        folder = FOLDER / "pages"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        bodies = dict(self.bodies())
        sheets = {
            path
            for body in bodies.values()
            for path in re.findall(r'<link rel="stylesheet" href="([^"]+)"', body)
        }
        for path in sheets:
            bodies[urlsplit(path).path.rpartition("/")[2]] = self.ask(path)[0]
        files = []
        for name, body in bodies.items():
            files.append(folder / (name if name.endswith(".css") else f"{name}.html"))
            files[-1].write_text(body, encoding="utf-8")
        return files

    def bodies(self) -> Iterator[tuple[str, str]]:
        petition = f"/petitions/{DEMAND}/"
        typed = {"first_name": "Connie", "last_name": "Rivera", "email": SIGNER, "updates": "no"}
        for name, path in {
            "home": "/",
            "campaign": "/campaigns/open-sundays/",
            "demand": petition,
            "thank-you": f"/petitions/{THANK_YOU}/",
            "versions": f"{petition}versions/",
            "not-found": "/nowhere/",
            "link-problem": "/confirm/abc/",
        }.items():
            yield name, self.ask(path)[0]
        yield "mistakes", self.ask(f"{petition}sign/", typed | {"email": "connie@", "updates": ""})[0]
        yield "one-more-click", self.ask(f"{petition}sign/", typed, silent=True)[0]
        _, thanks = self.ask(f"{petition}sign/", typed)
        yield "signed", self.ask(thanks)[0]
        manage(self.environment, "work", "--once")
        confirm, not_me = self.mailed_link("confirm"), self.mailed_link("not-me")
        yield "confirm", self.ask(confirm)[0]
        yield "confirmed", self.ask(confirm, {})[0]
        yield "not-me", self.ask(not_me)[0]
        yield "not-me-done", self.ask(not_me, {})[0]
        yield "link-removed", self.ask(confirm)[0]

    def mailed_link(self, purpose: str) -> str:
        mails = "".join(
            file.read_text(encoding="utf-8", errors="replace") for file in (FOLDER / "mail").iterdir()
        )
        found = re.search(rf"(/{purpose}/[\w-]+/)", mails.replace("=\n", ""))
        if not found:
            sys.exit(f"No mail with a link to /{purpose}/ arrived in {FOLDER / 'mail'}.")
        return found[1]


def validate(files: list[Path]) -> int:
    """Prints each mistake the validator finds; returns how many."""
    jar = FOLDER / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
    done = subprocess.run(
        ["java", "-jar", jar, "--also-check-css", "--format", "json", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    messages = json.loads(done.stderr)["messages"]
    for message in messages:
        where = f"{Path(urlsplit(message['url']).path).name}:{message.get('lastLine', '?')}"
        print(
            f"  {where} {message['type']}: {message['message']}\n    {message.get('extract', '').strip()[:200]}"
        )
    return len(messages)


def measure(url: str) -> bool:
    """Prints Lighthouse's scores for a phone; whether they reach the targets."""
    runs = sorted(
        (lighthouse(url) for _ in range(RUNS)), key=lambda run: run["categories"]["performance"]["score"]
    )
    report = runs[RUNS // 2]
    scores = {name: round(report["categories"][name]["score"] * 100) for name in TARGETS}
    print(
        f"Lighthouse {urlsplit(url).path}: " + ", ".join(f"{name} {score}" for name, score in scores.items())
    )
    for name, target in TARGETS.items():
        if scores[name] < target:
            for reference in report["categories"][name]["auditRefs"]:
                audit = report["audits"][reference["id"]]
                if audit.get("score") is not None and audit["score"] < 1 and reference["weight"]:
                    print(f"  {audit['id']}: {audit['title']} {audit.get('displayValue', '')}")
    return all(scores[name] >= target for name, target in TARGETS.items())


def lighthouse(url: str) -> dict[str, Any]:
    """The report. On a busy machine a run may come to nothing; then it is tried again."""
    report = FOLDER / "lighthouse.json"
    command = [
        str(FOLDER / "node_modules" / ".bin" / "lighthouse"),
        url,
        "--quiet",
        "--output=json",
        f"--output-path={report}",
        "--only-categories=" + ",".join(TARGETS),
        "--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage",
    ]
    for _ in range(RUNS):
        environment = {**os.environ, "CHROME_PATH": CHROMIUM}
        done = subprocess.run(
            command, cwd=FOLDER, env=environment, capture_output=True, text=True, check=False
        )
        if not done.returncode:
            found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
            return found
    sys.exit(f"{done.stderr[-2000:]}\nLighthouse failed.")


if __name__ == "__main__":
    sys.exit(main())
