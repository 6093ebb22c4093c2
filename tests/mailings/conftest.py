"""Staff in their roles, and what their browser sends from the form of a mailing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from mailings.models import Mailing
from tests.admin_forms import client_of
from tests.factories import make_staff


@pytest.fixture
def client_with(db: None) -> Callable[[str], Client]:
    """`client_with("editor")` is somebody of that role, logged in."""

    def make(role: str) -> Client:
        user = make_staff(email=f"{role.replace(' ', '-')}@example.org")
        user.groups.add(Group.objects.get(name=role))
        client = client_of(user)
        client.user = user  # type: ignore[attr-defined]
        return client

    return make


@pytest.fixture
def owner(client_with: Callable[[str], Client]) -> Client:
    return client_with("owner")


@pytest.fixture
def editor(client_with: Callable[[str], Client]) -> Client:
    return client_with("editor")


@pytest.fixture
def publisher(client_with: Callable[[str], Client]) -> Client:
    return client_with("publisher")


def address(page: str, mailing: Mailing) -> str:
    return reverse(f"admin:mailings_mailing_{page}", args=[mailing.pk])


def form_of(client: Client, url: str, **changed: Any) -> dict[str, Any]:
    """What a browser sends of the form at `url`, with some of it typed anew."""
    form = client.get(url).context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    data["asks_to_sign"] = "on" if data["asks_to_sign"] else None
    return {name: value for name, value in (data | changed).items() if value not in (None, [])}
