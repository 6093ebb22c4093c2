"""Files that strangers send do not fill the disk."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory

from config import uploads


def received(**fields: Any) -> Any:
    """The request as a view gets it."""
    return RequestFactory().post("/", fields)


def test_a_picture_arrives() -> None:
    request = received(logo=SimpleUploadedFile("logo.png", b"x" * 1000))

    assert request.FILES["logo"].size == 1000


def test_files_of_a_huge_request_are_never_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LARGEST_REQUEST", 500)

    request = received(logo=SimpleUploadedFile("logo.png", b"x" * 1000), name="Connie")

    assert not request.FILES
    assert request.POST["name"] == "Connie"
