"""`/healthz` and `/readyz`: answered before anything else, so that they work whatever is broken or misconfigured."""

from collections.abc import Callable
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from staff import site_state
from staff.heartbeat import last_beat

# The worker beats every few seconds; a minute without means that mails and counts stand still.
WORKER_MAY_BE_SILENT = timedelta(seconds=60)


class HealthMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz":
            return report({"process": "ok"})
        if request.path_info == "/readyz":
            parts = readiness()
            # Whoever waited for the database in vain does not wait for it again.
            now = site_state.notice() if parts["database"] == "ok" else site_state.known()
            return report(parts, state=now.state)
        return self.get_response(request)


def report(parts: dict[str, str], **more: str) -> HttpResponse:
    """JSON naming each part; 503 when one of them is not "ok". What is said beside them is no trouble."""
    response = JsonResponse(parts | more, status=200 if set(parts.values()) == {"ok"} else 503)
    response["Cache-Control"] = "no-store"
    return response


def readiness() -> dict[str, str]:
    """The state of database, migrations and worker, each "ok" or what is wrong with it."""
    try:
        if only_reads():
            return {"database": "takes no changes", "migrations": "unknown", "worker": "unknown"}
        executor = MigrationExecutor(connection)
        unapplied = executor.migration_plan(executor.loader.graph.leaf_nodes())
        beat = None if unapplied else last_beat()
    except (DatabaseError, InterfaceError):
        return {"database": "does not answer", "migrations": "unknown", "worker": "unknown"}
    if unapplied:
        return {"database": "ok", "migrations": f"{len(unapplied)} not applied", "worker": "unknown"}
    if beat is None:
        worker = "has never run"
    elif timezone.now() - beat > WORKER_MAY_BE_SILENT:
        worker = f"silent since {beat:%Y-%m-%d %H:%M:%S} UTC"
    else:
        worker = "ok"
    return {"database": "ok", "migrations": "ok", "worker": worker}


def only_reads() -> bool:
    """Whether PostgreSQL is a standby, or was told to take no changes. One query."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        return bool(cursor.fetchone() == ("on",))
