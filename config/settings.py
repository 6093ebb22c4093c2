"""Every setting of the site, read from the environment (and from `.env` beside `manage.py`)."""

import importlib.util
import ipaddress
import re
import sys
import zoneinfo
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# What outlives a process and is not in the database.
VAR_DIR = Path(env.str("VAR_DIR", default="") or BASE_DIR / "var")


def stop(variable: str, what_to_do: str) -> NoReturn:
    """Ends the start with one line: the variable and what to do about it."""
    sys.exit(f"Undersigned cannot start. {variable}: {what_to_do}")


# --- How it runs -------------------------------------------------------------------------------------------

_debug = env.str("DEBUG", default="off").strip().lower()
if _debug not in {"on", "off", "true", "false", "yes", "no", "1", "0", ""}:
    stop("DEBUG", "use on or off.")
DEBUG = _debug in {"on", "true", "yes", "1"}

SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000" if DEBUG else "").rstrip("/")
if not SITE_URL:
    stop("SITE_URL", "set the address people see, such as https://petitions.example.org.")
try:
    _site = urlsplit(SITE_URL)
    _origin = f"{_site.scheme}://{_site.netloc.rpartition('@')[2]}"
    _is_origin = _site.scheme in {"http", "https"} and bool(_site.hostname) and _site.port != 0
except ValueError:
    _is_origin = False
if not _is_origin or _origin != SITE_URL:
    stop("SITE_URL", "it must be an origin such as https://petitions.example.org, without a path.")

SECRET_KEY = env.str("SECRET_KEY", default="only-for-debugging-on-this-machine" if DEBUG else "")
if not DEBUG and (
    len(SECRET_KEY) < 32 or SECRET_KEY.startswith(("change-me", "only-for-debugging", "django-insecure"))
):
    stop(
        "SECRET_KEY",
        "set a secret of at least 32 characters; "
        "`python -c 'import secrets; print(secrets.token_urlsafe(50))'` makes one.",
    )
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

ALLOWED_HOSTS = [host.strip() for host in env.list("ALLOWED_HOSTS", default=[])] or [
    _site.hostname,
    *(["localhost", "127.0.0.1", "[::1]"] if DEBUG else []),
]
if not DEBUG and any(not host or "*" in host or host.startswith(".") for host in ALLOWED_HOSTS):
    stop(
        "ALLOWED_HOSTS",
        "name the hosts this site answers to, separated by commas; a wildcard is not allowed.",
    )

TRUSTED_PROXIES: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
for _entry in env.list("TRUSTED_PROXIES", default=[]):
    try:
        TRUSTED_PROXIES.append(ipaddress.ip_network(_entry.strip()))
    except ValueError:
        stop("TRUSTED_PROXIES", f"{_entry!r} is not an address or network such as 10.0.0.0/8.")

# --- What it is made of ------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",
    "mailings",
    "fraud",
    "signers",
    "petitions",
    "campaigns",
    "staff.apps.StaffConfig",
    "staff.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
]

MIDDLEWARE = [
    "config.middleware.PatienceMiddleware",
    "config.health.HealthMiddleware",
    "config.metrics.MetricsMiddleware",
    "config.watching.WatchingMiddleware",
    "config.middleware.TrustedProxiesMiddleware",
    "config.middleware.UnavailableMiddleware",
    "config.sign_posts.SignPostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.PermissionsPolicyMiddleware",
    "config.site_state_middleware.SiteStateMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.middleware.PublicPagesWithoutCookiesMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
_page_front = env.str("PAGE_FRONT", default="on").strip().lower()
if _page_front not in {"", "on", "off"}:
    stop("PAGE_FRONT", "use on or off.")
# Whether petition pages are answered from memory; see config/page_front/. While debugging, templates change.
PAGE_FRONT = _page_front != "off" and not DEBUG

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database ----------------------------------------------------------------------------------------------

_database_url = env.str("DATABASE_URL", default="") or f"sqlite:///{VAR_DIR / 'undersigned.sqlite3'}"
if not _database_url.startswith(("sqlite://", "postgres://", "postgresql://")):
    stop("DATABASE_URL", "use sqlite:///path/to/file or postgres://user:password@host:5432/name.")
try:
    _database = env.db_url_config(_database_url)
except ValueError:
    stop("DATABASE_URL", "it cannot be read; percent-encode odd characters in the password.")

_pooler = env.str("DATABASE_POOLER", default="").strip().lower()
if _pooler not in {"", "transaction"}:
    stop("DATABASE_POOLER", "use transaction, or leave it out where PostgreSQL is reached directly.")

if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["ENGINE"] = "config.sqlite"
    # Whoever closes the last connection tidies up the whole log: with a connection for each request, each pays for it.
    _database.setdefault("CONN_MAX_AGE", 60)
    if _database["NAME"] != ":memory:":
        try:
            Path(_database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        except OSError as _error:
            stop("DATABASE_URL", f"its directory cannot be made: {_error.strerror}.")
    _database["OPTIONS"] = {
        # Take the write lock when a transaction begins: an upgrade in mid-transaction fails at once, without waiting.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: an acknowledged signature survives a power cut. Mapped: a new connection has no cache yet, and reads of
        # many rows are a third faster without copying.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=134217728;",
    }
else:
    _database["ENGINE"] = "config.postgresql"
    _database.setdefault("CONN_MAX_AGE", 60)
    _database["CONN_HEALTH_CHECKS"] = True
    # What the address itself asks for, such as sslmode.
    _asked_for = dict(_database.get("OPTIONS", {}))
    # The last one ends statements nobody waits for any more; see config.postgresql.patience.
    _limits = (
        "-c statement_timeout=30s -c idle_in_transaction_session_timeout=120s"
        " -c client_connection_check_interval=2s"
    )
    _database["OPTIONS"] = {
        # A database that is gone must cost a visitor seconds, not minutes.
        "connect_timeout": 3,
        "tcp_user_timeout": 5000,
        # The worker waits for as long as it takes, but not two hours for a machine that is gone.
        "keepalives_idle": 10,
        **_asked_for,
        # Of two that contradict each other, the later one holds.
        "options": f"{_limits} {_asked_for.get('options', '')}".rstrip(),
    }
    if _pooler:
        # A session lasts one transaction: a cursor would be gone at the next read, and what a connection begins with
        # would never arrive. The limits of time are the role's own; see deploy/postgresql-role.sql.
        _database["DISABLE_SERVER_SIDE_CURSORS"] = True
        _database["OPTIONS"].pop("options")
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Mail --------------------------------------------------------------------------------------------------

try:
    _email = env.email_url("EMAIL_URL", default=f"filemail:///{VAR_DIR / 'mail'}")
except (ValueError, ImproperlyConfigured, KeyError):
    stop(
        "EMAIL_URL",
        "use smtp://user:password@host:587, smtp+tls://…, smtp+ssl://…, or filemail:///directory.",
    )
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
if EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend":
    EMAIL_BACKEND = "toolkit.emails.SmtpBackend"
EMAIL_HOST = _email.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = _email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = "/" + str(_email.get("EMAIL_FILE_PATH") or "").lstrip("/")
EMAIL_TIMEOUT = 10
EMAIL_USE_LOCALTIME = False
# How many mails a worker may be handing over at the same time while many wait; one is enough otherwise.
try:
    MAIL_CONNECTIONS = env.int("MAIL_CONNECTIONS", default=4)
except ValueError:
    MAIL_CONNECTIONS = 0
if not 1 <= MAIL_CONNECTIONS <= 20:
    stop("MAIL_CONNECTIONS", "use a number from 1 to 20.")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"petitions@{_site.hostname}")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Providers that take mail by HTTPS and report bounces, each with the setting of django-anymail that holds its key.
EMAIL_PROVIDERS = {
    "brevo": "BREVO_API_KEY",
    "mailgun": "MAILGUN_API_KEY",
    "mailtrap": "MAILTRAP_API_TOKEN",
    "mandrill": "MANDRILL_API_KEY",
    "postmark": "POSTMARK_SERVER_TOKEN",
    "resend": "RESEND_API_KEY",
    "sparkpost": "SPARKPOST_API_KEY",
}
EMAIL_PROVIDER = env.str("EMAIL_PROVIDER", default="").strip().lower()
EMAIL_PROVIDER_BACKEND = ""
if EMAIL_PROVIDER:
    if EMAIL_PROVIDER not in EMAIL_PROVIDERS:
        stop(
            "EMAIL_PROVIDER",
            f"use one of {', '.join(EMAIL_PROVIDERS)}; or leave it out to send by EMAIL_URL.",
        )
    _provider_key = env.str("EMAIL_PROVIDER_KEY", default="")
    if not _provider_key:
        stop("EMAIL_PROVIDER_KEY", "set the key with which the provider takes mail from us.")
    _report_secret = env.str("EMAIL_PROVIDER_SECRET", default="")
    if not re.fullmatch(r"[A-Za-z0-9_-]{20,200}", _report_secret):
        stop(
            "EMAIL_PROVIDER_SECRET",
            "make one of at least 20 letters and digits; it stands in the address of reports.",
        )
    try:
        _provider_options = env.dict("EMAIL_PROVIDER_OPTIONS", default={})
    except (ValueError, ImproperlyConfigured):
        stop("EMAIL_PROVIDER_OPTIONS", "use NAME=value,NAME=value with settings of django-anymail.")
    INSTALLED_APPS.append("anymail")
    EMAIL_BACKEND = "toolkit.provider_backend.ProviderBackend"
    EMAIL_PROVIDER_BACKEND = f"anymail.backends.{EMAIL_PROVIDER}.EmailBackend"
    ANYMAIL = {
        "REQUESTS_TIMEOUT": (EMAIL_TIMEOUT, 3 * EMAIL_TIMEOUT),
        **_provider_options,
        EMAIL_PROVIDERS[EMAIL_PROVIDER]: _provider_key,
        # Nobody's opening or clicking is tracked; the others have to be told so on their own pages.
        "SEND_DEFAULTS": {"track_opens": False, "track_clicks": False}
        if EMAIL_PROVIDER in {"mailgun", "mandrill", "postmark", "sparkpost"}
        else {},
        "WEBHOOK_SECRET": f"reports:{_report_secret}",
    }

# Who is told when many signatures come in that do not look like people.
ALERTS_TO = [_address.strip() for _address in env.list("ALERTS_TO", default=[]) if _address.strip()]
if any(not re.fullmatch(r"[^@\s]+@[^@\s]+", _address) for _address in ALERTS_TO):
    stop("ALERTS_TO", "name e-mail addresses, separated by commas.")

# Where mail servers send what they cannot deliver: each mail has an address of its own there, bounces+<mark>@….
BOUNCE_ADDRESS = env.str("BOUNCE_ADDRESS", default="").strip()
# RFC 5321 §4.5.3.1.1 has 64 characters before the @, of which a mark takes 34.
if BOUNCE_ADDRESS and not re.fullmatch(
    r"[a-z0-9._-]{1,30}@[a-z0-9.-]{1,200}\.[a-z0-9-]{2,63}", BOUNCE_ADDRESS
):
    stop(
        "BOUNCE_ADDRESS",
        "use an address in small letters such as bounces@petitions.example.org, without a +.",
    )
if BOUNCE_ADDRESS and EMAIL_PROVIDER:
    stop("BOUNCE_ADDRESS", "leave it out with EMAIL_PROVIDER, which sees to bounces itself.")

# The mailbox of that address, looked into every few minutes, unless the mail server pipes into receive_bounce.
BOUNCE_MAILBOX: dict[str, Any] = {}
_bounce_mailbox = env.str("BOUNCE_MAILBOX", default="").strip()
if _bounce_mailbox:
    try:
        _url = urlsplit(_bounce_mailbox)
        BOUNCE_MAILBOX = {
            "secure": _url.scheme == "imaps",
            "host": _url.hostname or "",
            "port": _url.port or (993 if _url.scheme == "imaps" else 143),
            "user": unquote(_url.username or ""),
            "password": unquote(_url.password or ""),
            "folder": unquote(_url.path.strip("/")) or "INBOX",
        }
        _readable = all(
            str(_value).isprintable() and str(_value).isascii() for _value in BOUNCE_MAILBOX.values()
        )
    except ValueError:
        _readable = False
    _here = BOUNCE_MAILBOX.get("host") in {"localhost", "127.0.0.1", "::1"}
    if (
        not _readable
        or not BOUNCE_MAILBOX["user"]
        or not BOUNCE_MAILBOX["host"]
        or not (_url.scheme == "imaps" or (_url.scheme == "imap" and _here))
    ):
        stop(
            "BOUNCE_MAILBOX",
            "use imaps://user:password@host/folder, in ASCII and percent-encoded; imap:// only on this very machine.",
        )

# --- Staff accounts and cookies ----------------------------------------------------------------------------

AUTH_USER_MODEL = "staff.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"

# The __Host- prefix binds a cookie to this very host, and needs HTTPS; plain http is for a look on one's own machine.
SECURE = _site.scheme == "https"
SESSION_COOKIE_NAME = "__Host-staff" if SECURE else "staff"
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
CSRF_COOKIE_AGE = SESSION_COOKIE_AGE
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [SITE_URL]
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"

# --- HTTPS and headers -------------------------------------------------------------------------------------

# Only believed from TRUSTED_PROXIES: TrustedProxiesMiddleware removes the header from everybody else's requests.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
# `no-referrer` would make browsers send `Origin: null`, and the sign form checks the origin.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}

# --- Input limits ------------------------------------------------------------------------------------------

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a campaign's form holds its sources, letters and targets
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "config.uploads.SizeLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Language and time -------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
try:
    zoneinfo.ZoneInfo(TIME_ZONE)
except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
    stop("TIME_ZONE", "use a name such as UTC or America/Los_Angeles.")

# --- Static files ------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"  # comes with a release
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.static_files.CollectedStaticFiles"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG

# --- Watching ----------------------------------------------------------------------------------------------

METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
if METRICS_TOKEN and not re.fullmatch(r"[A-Za-z0-9._~+/=-]{20,200}", METRICS_TOKEN):
    stop(
        "METRICS_TOKEN",
        "make one of at least 20 letters and digits; Prometheus sends it as its bearer token.",
    )
METRICS_DIR = env.str("METRICS_DIR", default="") or str(VAR_DIR / "metrics")
WORKER_METRICS = env.str("WORKER_METRICS", default="").strip()
if WORKER_METRICS and not re.fullmatch(r"[0-9A-Za-z.:\[\]-]+:[1-9][0-9]{0,4}", WORKER_METRICS):
    stop("WORKER_METRICS", "use host:port, such as 10.0.0.12:9101.")

SENTRY_DSN = env.str("SENTRY_DSN", default="").strip()
if SENTRY_DSN and importlib.util.find_spec("sentry_sdk") is None:
    stop("SENTRY_DSN", "install what it needs: pip install -r requirements-sentry.txt; or leave it out.")
if SENTRY_DSN and not re.fullmatch(r"https?://[^\s@/]+@[^\s@/]+/(?:[^\s?#]+/)?\d+", SENTRY_DSN):
    stop("SENTRY_DSN", "use the address that Sentry shows, such as https://key@errors.example.org/1.")

LOG_FORMAT = env.str("LOG_FORMAT", default="text").strip().lower()
if LOG_FORMAT not in {"text", "json"}:
    stop("LOG_FORMAT", "use text, or json for one JSON object a line.")

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"without_secrets": {"()": "toolkit.log_privacy.WithoutSecrets"}},
    "formatters": {
        "text": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
        "json": {"()": "toolkit.log_privacy.JsonLines"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["without_secrets"]},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # What visitors get wrong (404, 422, 403) is no news for whoever runs the site; what we get wrong is.
        "django.request": {"level": "ERROR"},
        # Robots try every host name there is.
        "django.security.DisallowedHost": {"handlers": [], "level": "CRITICAL", "propagate": False},
    },
}
