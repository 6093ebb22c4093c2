"""Errors reported to Sentry, where SENTRY_DSN names one: what went wrong and where, nothing about who was there."""

from typing import Any

from django.conf import settings

from toolkit.log_privacy import TELLING, redact

# What is passed on. Everything else stays here, whatever a new release of the SDK thinks of: request, user,
# breadcrumbs, extra, the server's name.
KEPT = ("event_id", "timestamp", "level", "logger", "platform", "release", "environment", "sdk")
FRAME = (
    "filename",
    "abs_path",
    "function",
    "module",
    "lineno",
    "pre_context",
    "context_line",
    "post_context",
    "in_app",
)


def start(transport: Any = None) -> None:
    """Begins to report, once for each process; nothing without SENTRY_DSN."""
    if not settings.SENTRY_DSN:
        return
    import sentry_sdk
    from django.http import UnreadablePostError
    from sentry_sdk.integrations.logging import LoggingIntegration

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        transport=transport,
        before_send=without_people,  # type: ignore[arg-type]
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        server_name="",
        auto_session_tracking=False,
        traces_sample_rate=None,
        enable_logs=False,
        # Errors are reported as such; each line of the log beside them would be one report more.
        integrations=[LoggingIntegration(level=None, event_level=None)],
        # A visitor who goes away in the middle of a form is no error of ours.
        ignore_errors=[UnreadablePostError],
        shutdown_timeout=2,
    )


def report(error: BaseException) -> None:
    """An error that was caught and dealt with outside of any request."""
    if settings.SENTRY_DSN:
        import sentry_sdk

        sentry_sdk.capture_exception(error)


def without_people(event: dict[str, Any], _hint: dict[str, Any]) -> dict[str, Any]:
    """Of an event, what is known to hold nobody."""
    kept = {name: event[name] for name in KEPT if name in event}
    if event.get("transaction"):
        kept["transaction"] = redact(str(event["transaction"]))
    message = event.get("message") or (event.get("logentry") or {}).get("message")
    if message:
        kept["message"] = redact(str(message))
    exceptions = (event.get("exception") or {}).get("values") or []
    if exceptions:
        kept["exception"] = {"values": [exception(value) for value in exceptions]}
    return kept


def exception(value: dict[str, Any]) -> dict[str, Any]:
    """Its kind and where it came from; its text only where that cannot quote a person."""
    kind = value.get("type")
    text = redact(str(value.get("value") or "")).partition("\n")[0] if kind in TELLING else ""
    frames = (value.get("stacktrace") or {}).get("frames") or []
    return {
        "type": kind,
        "value": text,
        "module": value.get("module"),
        "stacktrace": {
            "frames": [{name: frame[name] for name in FRAME if name in frame} for frame in frames]
        },
    }
