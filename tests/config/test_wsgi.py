"""What gunicorn serves: how it reads what visitors send."""

from io import BytesIO
from typing import Any

import pytest
from django.test import RequestFactory

from config.postgresql import patience

pytestmark = pytest.mark.usefixtures("static_root")

FORM = b"first_name=Connie"


class Line(BytesIO):
    """A visitor's; remembers how long the database may take meanwhile."""

    def read(self, size: int | None = -1) -> bytes:
        self.seconds = patience.left()
        return super().read(size)


def request_over(line: Line) -> Any:
    # Imported only now that there is a folder for static files, which WhiteNoise looks for.
    from config.wsgi import Request

    about: dict[str, Any] = {"CONTENT_LENGTH": len(FORM), "CONTENT_TYPE": "application/x-www-form-urlencoded"}
    return Request(RequestFactory().post("/").environ | about | {"wsgi.input": line})


def test_a_slow_line_takes_nothing_of_the_time_for_the_database() -> None:
    line = Line(FORM)

    with patience.limited(5, lambda: False):
        first_name = request_over(line).POST["first_name"]
        left_after = patience.left()

    assert first_name == "Connie"
    assert line.seconds == float("inf")
    assert 0 < left_after <= 5


def test_without_an_end_to_waiting_a_form_is_read_as_well() -> None:
    assert request_over(Line(FORM)).POST["first_name"] == "Connie"
