"""Organizations in the admin: colors, web addresses and the logo, whatever is uploaded."""

import io

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, PngImagePlugin

from campaigns.models import Organization
from tests.admin_forms import client_of
from tests.factories import make_organization, make_staff

pytestmark = pytest.mark.django_db
ADD = "/admin/campaigns/organization/add/"
GOOD = {"name": "Readers’ Common", "accent": "#7a1f3d"}


@pytest.fixture
def editor() -> Client:
    user = make_staff()
    user.groups.add(Group.objects.get(name="editor"))
    return client_of(user)


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 900), mode: str = "RGB", **options) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size).save(written, kind, **options)
    return written.getvalue()


def upload(data: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="image/png")


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("PNG", "1"),
        ("PNG", "I;16"),
        ("JPEG", "CMYK"),
        ("JPEG", "L"),
        ("WEBP", "RGBA"),
    ],
)
def test_a_picture_becomes_a_small_png(editor, kind, mode):
    response = editor.post(ADD, GOOD | {"logo_file": upload(picture(kind, mode=mode))})

    assert response.status_code == 302
    organization = Organization.objects.get()
    with Image.open(io.BytesIO(bytes(organization.logo))) as logo:
        assert logo.format == "PNG"
        assert logo.size == (organization.logo_width, organization.logo_height) == (133, 400)
    assert len(organization.logo_digest) == 16


def test_metadata_is_not_kept(editor):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", "Somebody Private")

    editor.post(ADD, GOOD | {"logo_file": upload(picture(pnginfo=notes))})

    assert b"Private" not in bytes(Organization.objects.get().logo)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "PNG, JPEG or WebP"),
        (b"not a picture", "PNG, JPEG or WebP"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "PNG, JPEG or WebP"),
        (b"\0" * (1024 * 1024 + 1), "larger than 1 MB"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "PNG, JPEG or WebP"),
        (b"", "empty"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_word_of_advice(editor, data, told):
    response = editor.post(ADD, GOOD | {"logo_file": upload(data)})

    assert told in str(response.context["adminform"].form.errors["logo_file"])
    assert not Organization.objects.exists()


def test_a_picture_of_enormous_size_is_refused_before_it_is_decoded(editor):
    response = editor.post(ADD, GOOD | {"logo_file": upload(picture(mode="1", size=(30_000, 30_000)))})

    assert "too many pixels" in str(response.context["adminform"].form.errors["logo_file"])


def test_a_logo_can_be_removed(editor):
    editor.post(ADD, GOOD | {"logo_file": upload(picture())})
    organization = Organization.objects.get()

    editor.post(f"/admin/campaigns/organization/{organization.pk}/change/", GOOD | {"remove_logo": "on"})

    organization.refresh_from_db()
    assert organization.logo is None
    assert organization.logo_digest == ""


def test_saving_without_a_new_picture_keeps_the_logo(editor):
    editor.post(ADD, GOOD | {"logo_file": upload(picture())})
    organization = Organization.objects.get()

    editor.post(
        f"/admin/campaigns/organization/{organization.pk}/change/", GOOD | {"parent": "from elsewhere"}
    )

    assert Organization.objects.get().logo_digest == organization.logo_digest
    assert Organization.objects.get().parent == "from elsewhere"


@pytest.mark.parametrize("accent", ["red", "#12345", "#gggggg", "rgb(1,2,3)", "#7a1f3d; x", "\0", "#" * 40])
def test_a_color_that_is_none_is_refused(editor, accent):
    response = editor.post(ADD, GOOD | {"accent": accent})

    assert "accent" in response.context["adminform"].form.errors


@pytest.mark.parametrize(("typed", "stored"), [("7A1F3D", "#7a1f3d"), ("#abc", "#aabbcc"), ("", "")])
def test_a_color_may_be_written_shorter(editor, typed, stored):
    editor.post(ADD, GOOD | {"accent": typed})

    assert Organization.objects.get().accent == stored


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "ftp://example.org/", "https://", "//x"]
)
def test_a_privacy_address_must_be_a_web_address(editor, url):
    response = editor.post(ADD, GOOD | {"privacy_url": url})

    assert "https://" in str(response.context["adminform"].form.errors["privacy_url"])


def test_a_name_that_is_taken_is_told(editor):
    make_organization(name="Readers’ Common")

    response = editor.post(ADD, GOOD)

    assert "already an organization of this name" in str(response.context["adminform"].form.errors["name"])
