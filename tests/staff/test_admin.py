"""Who may see and do what in the admin: every role against every kind of page."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from staff.models import AuditEntry, User
from staff.roles import EDITOR, OWNER, PUBLISHER, SIGNATURE_MANAGER
from tests.admin_forms import client_of
from tests.factories import make_mail, make_petition, make_signature, make_staff

pytestmark = pytest.mark.django_db
ADDRESS = "quite.secret@example.org"
ALL = {EDITOR, PUBLISHER, SIGNATURE_MANAGER, OWNER}
WRITERS = {EDITOR, PUBLISHER, OWNER}
SIGNERS = {SIGNATURE_MANAGER, OWNER}


def user_with(role: str) -> User:
    user = make_staff(password="a-long-password-here")
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def signature():
    signature = make_signature(make_petition(), email=ADDRESS, confirmed=True)
    make_mail(signature, to=ADDRESS)
    return signature


# Page: who may open it. {campaign}, {petition}, {signature}, {supporter}, {mail}, {target}, {organization} are keys.
PAGES = {
    "/admin/": ALL,
    "/admin/campaigns/campaign/": ALL,
    "/admin/campaigns/campaign/add/": WRITERS,
    "/admin/campaigns/campaign/{campaign}/change/": ALL,
    "/admin/campaigns/campaign/{campaign}/publish/": ALL,
    "/admin/campaigns/campaign/{campaign}/counts.json": ALL,
    "/admin/campaigns/campaign/{campaign}/duplicate/": WRITERS,
    "/admin/campaigns/campaign/{campaign}/history/": ALL,
    "/admin/campaigns/organization/": ALL,
    "/admin/campaigns/organization/add/": WRITERS,
    "/admin/campaigns/organization/{organization}/change/": ALL,
    "/admin/campaigns/place/": WRITERS,
    "/admin/campaigns/target/{target}/change/": WRITERS,
    "/admin/petitions/petition/": ALL,
    "/admin/petitions/petition/{petition}/change/": ALL,
    "/admin/petitions/petition/{petition}/preview/": ALL,
    "/admin/petitions/petition/{petition}/preview/page/": ALL,
    "/admin/petitions/petition/{petition}/preview/mail/": ALL,
    "/admin/petitions/petition/close/?petition={petition}": {PUBLISHER, OWNER},
    "/admin/petitions/petition/unpublish/?petition={petition}": {PUBLISHER, OWNER},
    "/admin/signers/": SIGNERS,
    "/admin/signers/signature/": SIGNERS,
    "/admin/signers/signature/?q=connie": SIGNERS,
    "/admin/signers/signature/?q=" + ADDRESS: SIGNERS,
    "/admin/signers/signature/{signature}/change/": SIGNERS,
    "/admin/signers/signature/{signature}/history/": SIGNERS,
    "/admin/signers/signature/{signature}/remove/": SIGNERS,
    "/admin/signers/supporter/": SIGNERS,
    "/admin/signers/supporter/{supporter}/change/": SIGNERS,
    "/admin/signers/submission/": SIGNERS,
    "/admin/signers/outgoingmail/": SIGNERS,
    "/admin/signers/outgoingmail/{mail}/change/": SIGNERS,
    "/admin/staff/auditentry/": {PUBLISHER, SIGNATURE_MANAGER, OWNER},
    "/admin/staff/user/": {OWNER},
    "/admin/staff/user/add/": {OWNER},
}
NOBODY_ADDS = [
    "/admin/signers/signature/add/",
    "/admin/signers/supporter/add/",
    "/admin/signers/submission/add/",
    "/admin/signers/outgoingmail/add/",
    "/admin/staff/auditentry/add/",
]


def address(page: str, signature) -> str:
    petition = signature.petition
    return page.format(
        campaign=petition.campaign.pk,
        organization=petition.campaign.organization_id,
        petition=petition.pk,
        target=petition.target_id,
        signature=signature.pk,
        supporter=signature.supporter_id,
        mail=signature.mails.get().pk,
    )


@pytest.mark.one_database
@pytest.mark.parametrize("role", sorted(ALL))
def test_each_role_opens_its_pages_and_no_other(role, signature):
    client = client_of(user_with(role))

    opened = {page for page in PAGES if client.get(address(page, signature)).status_code == 200}

    assert opened == {page for page, roles in PAGES.items() if role in roles}


@pytest.mark.one_database
@pytest.mark.parametrize("role", [EDITOR, PUBLISHER])
def test_whoever_may_not_see_signers_finds_no_address_on_any_page(role, signature):
    client = client_of(user_with(role))

    pages = [
        *PAGES,
        "/admin/autocomplete/?app_label=signers&model_name=signature&field_name=supporter&term=quite",
    ]
    for page in pages:
        response = client.get(address(page, signature), follow=True)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        # A page may repeat what was typed into its own address, so that part is not evidence.
        if "q=" not in page:
            assert ADDRESS.encode() not in content, page


@pytest.mark.parametrize("role", sorted(ALL))
@pytest.mark.parametrize("page", NOBODY_ADDS)
def test_nobody_adds_by_hand_what_happens(role, page):
    assert client_of(user_with(role)).get(page).status_code == 403


@pytest.mark.parametrize("role", [EDITOR, PUBLISHER])
def test_export_and_removal_are_refused_without_the_right(role, signature):
    client = client_of(user_with(role))

    export = client.post(reverse("admin:signers_signature_export"))
    removal = client.post(reverse("admin:signers_signature_remove", args=[signature.pk]), {"reason": "Spam."})

    signature.refresh_from_db()
    assert export.status_code == removal.status_code == 403
    assert signature.removed_at is None


def test_a_visitor_is_asked_to_log_in_everywhere(signature):
    for page in PAGES:
        response = Client().get(address(page, signature))

        assert response.status_code == 302, page
        assert response.url.startswith("/admin/login/"), page


def test_a_signature_manager_edits_no_text(signature):
    client = client_of(user_with(SIGNATURE_MANAGER))

    response = client.post(
        address("/admin/campaigns/campaign/{campaign}/change/", signature), {"title": "Mine"}
    )

    assert response.status_code == 403


def test_a_superuser_opens_everything(signature):
    client = client_of(make_staff(is_superuser=True))

    statuses = {page: client.get(address(page, signature)).status_code for page in PAGES}

    assert set(statuses.values()) == {200}


@pytest.mark.one_database
@pytest.mark.parametrize("role", sorted(ALL))
def test_every_page_keeps_the_strict_policy(role, signature):
    client = client_of(user_with(role))

    for page, roles in PAGES.items():
        if role in roles:
            policy = client.get(address(page, signature))["Content-Security-Policy"]
            assert "unsafe" not in policy, page


# --- Lists --------------------------------------------------------------------------------------------------


def test_a_list_says_when_there_is_nothing_yet_and_when_nothing_was_found():
    client = client_of(user_with(OWNER))

    empty = client.get("/admin/mailings/mailing/").content.decode()
    searched = client.get("/admin/mailings/mailing/?q=zebra").content.decode()

    assert "No mailings yet." in empty
    assert "results" not in empty
    assert "Write to supporters" in empty
    assert "Nothing found." in searched
    assert '<a href="?">Show all mailings</a>' in searched


@pytest.mark.parametrize("page", ["", "{petition}/change/", "{petition}/history/"])
def test_a_trail_names_its_list_once(page, signature):
    client = client_of(make_staff(is_superuser=True))
    path = address(f"/admin/petitions/petition/{page}", signature)

    trail = client.get(path).content.decode().split('class="breadcrumbs"')[1].split("</div>")[0]

    assert trail.count("Petitions") == 1


# --- Staff accounts ----------------------------------------------------------------------------------------


def new_user(**fields):
    return {
        "username": "newcomer",
        "password1": "a-long-password-here",
        "password2": "a-long-password-here",
        "usable_password": "true",
        **fields,
    }


def test_an_owner_adds_staff_with_a_role():
    editors = Group.objects.get(name=EDITOR)

    client_of(user_with(OWNER)).post("/admin/staff/user/add/", new_user(groups=[editors.pk]))

    user = User.objects.get(username="newcomer")
    assert (user.is_staff, user.is_superuser) == (True, False)
    assert list(user.groups.all()) == [editors]


def test_an_owner_cannot_make_a_superuser_or_give_single_permissions():
    owner = user_with(OWNER)
    url = f"/admin/staff/user/{owner.pk}/change/"
    data = {"username": owner.username, "is_active": "on", "groups": [owner.groups.get().pk]}

    client_of(owner).post(url, data | {"is_superuser": "on", "user_permissions": ["1"]})
    client_of(owner).post("/admin/staff/user/add/", new_user(is_superuser="on", user_permissions=["1"]))

    owner.refresh_from_db()
    newcomer = User.objects.get(username="newcomer")
    assert not owner.is_superuser
    assert not newcomer.is_superuser
    assert not newcomer.user_permissions.exists()


def test_an_owner_cannot_take_over_a_superuser():
    root = make_staff(username="root", is_superuser=True, password="a-long-password-here")
    client = client_of(user_with(OWNER))

    for page in ("change", "delete", "password"):
        client.post(
            f"/admin/staff/user/{root.pk}/{page}/",
            {
                "password1": "taken-over-by-me",
                "password2": "taken-over-by-me",
                "usable_password": "true",
                "post": "yes",
            },
        )

    root.refresh_from_db()
    assert root.check_password("a-long-password-here")


def test_an_owner_cannot_lock_themselves_out():
    owner = user_with(OWNER)

    response = client_of(owner).post(f"/admin/staff/user/{owner.pk}/change/", {"username": owner.username})

    owner.refresh_from_db()
    assert "is_active" in response.context["adminform"].form.errors
    assert owner.is_active


def test_a_change_of_role_is_in_the_audit_log():
    someone = user_with(EDITOR)
    data = {"username": someone.username, "is_active": "on", "groups": [Group.objects.get(name=PUBLISHER).pk]}

    client_of(user_with(OWNER)).post(f"/admin/staff/user/{someone.pk}/change/", data)

    entry = AuditEntry.objects.get(subject_type="user", subject_id=someone.pk)
    assert "roles" in str(entry.details).lower()


def test_an_editor_changes_their_own_password():
    client = client_of(user_with(EDITOR))

    assert client.get("/admin/password_change/").status_code == 200


# --- The audit log -----------------------------------------------------------------------------------------


def test_the_log_is_found_by_campaign_and_petition(signature):
    client = client_of(user_with(OWNER))
    client.post(reverse("admin:signers_signature_remove", args=[signature.pk]), {"reason": "Typed twice."})
    other = make_petition()
    petition = signature.petition

    mine = client.get(f"/admin/staff/auditentry/?petition={petition.pk}").content.decode()
    ours = client.get(f"/admin/staff/auditentry/?campaign={petition.campaign.pk}").content.decode()
    theirs = client.get(f"/admin/staff/auditentry/?campaign={other.campaign.pk}").content.decode()

    assert "Typed twice." in mine
    assert "Typed twice." in ours
    assert "Typed twice." not in theirs


@pytest.mark.parametrize("junk", ["x", "9" * 5000, "-1", "\0", "x" * 60_000, "a " * 2000])
@pytest.mark.parametrize(
    "page", ["staff/auditentry", "petitions/petition", "signers/signature", "campaigns/target"]
)
def test_odd_filters_find_nothing_and_break_nothing(page, junk):
    client = client_of(user_with(OWNER))

    for parameter in ("campaign", "petition", "state", "q", "p", "o"):
        assert client.get(f"/admin/{page}/", {parameter: junk}).status_code in (200, 302)


def test_nobody_changes_or_deletes_the_log():
    entry = AuditEntry.objects.create(
        at="2026-05-03T12:00Z",
        actor_name="x",
        action="x",
        subject_type="campaign",
        subject_id=1,
        subject_label="x",
    )
    client = client_of(make_staff(is_superuser=True))

    deleted = client.post(f"/admin/staff/auditentry/{entry.pk}/delete/", {"post": "yes"})
    changed = client.post(f"/admin/staff/auditentry/{entry.pk}/change/", {"reason": "better"})

    assert deleted.status_code == changed.status_code == 403
