"""What is shipped in deploy/ holds together: images, compose file, PgBouncer, nginx, services. Nothing is started here."""

import re
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest
import yaml
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SITE = ["web-1", "web-2", "worker-1", "worker-2", "migrate"]


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def stages():
    """The lines of each stage of the Dockerfile by its name, continued lines joined."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    parts = re.split(r"(?m)^FROM (\S+) AS (\S+)$", text)
    return {
        name: [f"FROM {image}", *body.splitlines()]
        for image, name, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    }


def pooler_settings():
    ini = ConfigParser()
    ini.read(DEPLOY / "pgbouncer.ini")
    return ini["pgbouncer"]


def lines(stage, instruction):
    return [line.removeprefix(instruction).strip() for line in stage if line.startswith(f"{instruction} ")]


# --- The images ----------------------------------------------------------------------------------------------


def test_images_are_pinned_to_a_minor_release(stages, compose):
    images = [lines(stage, "FROM")[0] for stage in stages.values()] + [
        compose["services"]["database"]["image"]
    ]

    assert images
    assert not [image for image in images if not re.search(r":(\d|bookworm)", image)]
    assert lines(stages["site"], "FROM") == lines(stages["wheels"], "FROM")


def test_nobody_serves_visitors_or_pools_as_root(stages):
    assert lines(stages["site"], "USER") == ["undersigned"]
    assert lines(stages["pooler"], "USER") == ["postgres"]


def test_every_image_that_runs_says_whether_it_is_well(stages):
    assert all(lines(stages[name], "HEALTHCHECK") for name in ("site", "pooler", "front"))
    assert "/healthz" in lines(stages["site"], "HEALTHCHECK")[0]


def test_no_secret_gets_into_an_image(stages):
    text = "\n".join(
        line for stage in stages.values() for line in [*lines(stage, "ENV"), *lines(stage, "ARG")]
    )
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()

    assert not re.search(r"SECRET|PASSWORD|KEY", text)
    assert allowed[1] == "*"
    assert "!.env" not in allowed
    assert "**/.env" in allowed


def test_the_image_gets_every_app_and_what_it_copies(stages):
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    apps = {app.partition(".")[0] for app in settings.INSTALLED_APPS}
    ours = {app for app in apps if (ROOT / app).is_dir()} | {"toolkit", "templates", "static"}
    copied = [
        part
        for stage in stages.values()
        for line in lines(stage, "COPY")
        for part in line.split()[:-1]
        if part != "." and not part.startswith("--")
    ]

    assert not [name for name in [*ours, *copied] if f"!{name}" not in allowed]
    assert not [name for name in copied if not (ROOT / name).exists()]


# --- The compose file ----------------------------------------------------------------------------------------


def test_every_password_has_to_be_set(compose):
    text = (DEPLOY / "compose.yaml").read_text()
    used = re.findall(r"\$\{(\w*(?:PASSWORD|KEY|SECRET)\w*)(:\?)?", text)

    assert used
    assert all(must for _name, must in used)


def test_only_nginx_is_open_to_the_world(compose):
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["front"]


def test_the_tables_are_there_before_anybody_serves(compose):
    services = compose["services"]

    for name in ("web-1", "web-2", "worker-1", "worker-2"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["migrate"]["depends_on"]["database"] == {"condition": "service_healthy"}
    assert services["migrate"]["restart"] == "no"


def test_what_runs_for_long_comes_back_and_has_limits(compose):
    for name, service in compose["services"].items():
        if name != "migrate":
            assert service["restart"] == "unless-stopped", name
        assert {"cpus", "memory", "pids"} <= service["deploy"]["resources"]["limits"].keys(), name


def test_the_site_goes_through_the_pooler_and_migrations_do_not(compose):
    addresses = {
        name: service["networks"]["inside"]["ipv4_address"]
        for name, service in compose["services"].items()
        if isinstance(service["networks"], dict)
    }
    for name in SITE:
        environment = compose["services"][name]["environment"]
        direct = name == "migrate"
        host = addresses["database"] if direct else addresses["pooler"]
        assert f"@{host}:{5432 if direct else 6432}/" in environment["DATABASE_URL"]
        assert environment["DATABASE_POOLER"] == ("" if direct else "transaction")
        assert environment["TRUSTED_PROXIES"] == f"{addresses['front']},${{CDN_NETWORKS:-127.0.0.1}}"


def test_nginx_and_pgbouncer_know_the_addresses(compose):
    services = compose["services"]
    web = {services[name]["networks"]["inside"]["ipv4_address"] for name in ("web-1", "web-2")}
    primary = services["database"]["networks"]["inside"]["ipv4_address"]
    upstream = (DEPLOY / "nginx-two-hosts.conf").read_text()

    assert set(re.findall(r"server ([\d.]+):8000", upstream)) == web
    assert f"undersigned = host={primary} port=5432 " in (DEPLOY / "pgbouncer.ini").read_text()


def test_what_a_web_server_notes_outlives_its_container(compose, stages):
    kept = re.search(r"VAR_DIR=(\S+)", lines(stages["site"], "ENV")[0])[1]
    volumes = [compose["services"][name]["volumes"] for name in ("web-1", "web-2")]

    assert [entry.partition(":")[2] for (entry,) in volumes] == [kept, kept]
    assert {entry.partition(":")[0] for (entry,) in volumes} <= compose["volumes"].keys()


def test_the_pooler_may_write_where_a_tmpfs_lies(compose, stages):
    """Docker makes it root's, with the mode that the folder has in the image."""
    folder = compose["services"]["pooler"]["tmpfs"]

    assert f"chmod 1777 {folder}" in " ".join(lines(stages["pooler"], "RUN"))
    assert f"folder={folder}\n" in (DEPLOY / "pooler.sh").read_text()


def test_web_servers_do_not_count_the_cores_of_the_machine(compose):
    for name in ("web-1", "web-2"):
        assert compose["services"][name]["environment"]["WEB_CONCURRENCY"] == "${WEB_CONCURRENCY:-4}"


def test_every_file_that_is_mounted_exists(compose):
    mounted = [
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    ]

    assert mounted
    assert not [name for name in mounted if not (DEPLOY / name).is_file()]


# --- nginx, PgBouncer, PostgreSQL ----------------------------------------------------------------------------


def test_nginx_never_repeats_a_post_that_may_have_been_taken():
    for file in DEPLOY.glob("nginx*.conf"):
        directives = re.sub(r"#.*", "", file.read_text())
        assert "non_idempotent" not in directives, file.name


def test_two_hosts_take_the_place_of_one():
    printed = subprocess.run(
        ["sh", DEPLOY / "front.sh", "petitions.example.com"], capture_output=True, text=True, check=True
    ).stdout

    assert len(re.findall(r"(?m)^upstream undersigned \{", printed)) == 1
    assert len(re.findall(r"(?m)^ +server \S+:8000 ", printed)) == 2
    assert "server_name petitions.example.com;" in printed
    assert "petitions.example.org" not in printed


def test_the_pooler_keeps_nobody_waiting_longer_than_the_site_promises():
    pooler = pooler_settings()

    assert pooler["pool_mode"] == "transaction"
    assert int(pooler["query_wait_timeout"]) <= 5
    assert int(pooler["server_connect_timeout"]) <= 5


def test_a_site_that_does_not_know_of_the_pooler_is_refused():
    assert pooler_settings()["ignore_startup_parameters"] == ""


def test_nothing_that_serves_needs_a_session_of_its_own():
    """What a pooled connection would pass on to a stranger, or not find again. Migrations, backups and seeding go past it."""
    sessions = re.compile(
        r"pg_(?:try_)?advisory_(?:lock|unlock)|\bLISTEN \w|\bNOTIFY \w|\bPREPARE \w+ AS|CREATE TEMP|WITH HOLD"
        r"|SET SESSION|\.execute\(\s*f?[\"']SET (?!LOCAL|CONSTRAINTS)"
    )
    migrating = ROOT / "toolkit" / "large_tables.py"
    past_the_pooler = {
        migrating,
        ROOT / "signers" / "seeding.py",
        *(ROOT / "config" / "backups").glob("*.py"),
    }
    apps = ("config", "fraud", "mailings", "signers", "petitions", "campaigns", "staff", "toolkit")
    files = {file for app in apps for file in (ROOT / app).rglob("*.py") if "migrations" not in file.parts}

    assert [file.name for file in files - past_the_pooler if sessions.search(file.read_text())] == []
    assert sessions.search((ROOT / "signers" / "seeding.py").read_text())


def test_the_role_has_the_limits_the_site_asks_for_without_a_pooler():
    role = dict(re.findall(r"SET (\w+) = '(\w+)'", (DEPLOY / "postgresql-role.sql").read_text()))
    asked = dict(re.findall(r"-c (\w+)=(\w+)", (ROOT / "config" / "settings.py").read_text()))

    assert asked
    assert asked.items() <= role.items()


# --- systemd -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["undersigned-web.service", "undersigned-worker.service"])
def test_services_come_back_without_root(name):
    text = (DEPLOY / name).read_text()

    assert "User=undersigned" in text
    assert "Restart=always" in text
    assert "NoNewPrivileges=yes" in text
