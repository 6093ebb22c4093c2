"""Addresses nobody types by hand get an answer in the admin, too."""

import pytest
from django.contrib.admin import site
from django.test import Client

from staff.models import User


@pytest.mark.parametrize("query", ["_to_field=", "_to_field=&_popup=1", "_to_field=nonsense"])
@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_an_empty_field_name_is_no_error(client: Client, db: None, query: str, page: str) -> None:
    client.force_login(User.objects.create_superuser("root"))

    for model in site._registry:
        response = client.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/999/{page}/?{query}")
        assert response.status_code in {302, 400, 403, 404}


def test_a_very_long_search_is_cut(client: Client, db: None) -> None:
    client.force_login(User.objects.create_superuser("root"))

    assert client.get("/admin/campaigns/campaign/", {"q": "word " * 5000}).status_code == 200


@pytest.mark.parametrize("numbers", ["9223372036854775808", "1,-9223372036854775809", "9" * 5000, "1,x,"])
def test_a_number_no_column_holds_is_no_error(client: Client, db: None, numbers: str) -> None:
    client.force_login(User.objects.create_superuser("root"))

    for address in ("petitions/petition", "signers/signature", "campaigns/place"):
        assert client.get(f"/admin/{address}/", {"id__in": numbers}).status_code in {302, 400}
