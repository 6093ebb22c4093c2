"""What gunicorn serves: `gunicorn config.wsgi`."""

import os
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

from config.postgresql import patience

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class Request(WSGIRequest):
    """Texts are UTF-8, as our pages say. Django would decode with any codec of Python's that `Content-Type` names, and
    fail outside of its own error handling on `idna`, on `zip`, and on a parameter in an encoding that does not exist.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (ValueError, LookupError):
            self.content_type, self.content_params = "", {}

    def read(self, *args: Any, **kwargs: Any) -> bytes:
        """Forms and files come in through here, as slowly as the visitor's line is."""
        with patience.elsewhere():
            return super().read(*args, **kwargs)


class Application(WSGIHandler):
    request_class = Request


django.setup(set_prefix=False)
application: Any = Application()
if settings.PAGE_FRONT:
    from config.page_front.front import PageFront  # needs the models

    application = PageFront(application)
