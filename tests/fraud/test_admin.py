"""Clusters, rules and lists as staff meet them."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fraud.applying import work
from fraud.models import AllowedDomain, Batch, Burst, Rule
from signers.models import SharedNetwork, Signature
from staff import roles
from tests.factories import make_petition, make_staff
from tests.fraud.attacks import fold_and_watch, sign_in

REASON = {"reason": "A script did it."}


def client_of(role):
    user = make_staff(username=role.replace(" ", "-"))
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def manager(db):
    return client_of(roles.SIGNATURE_MANAGER)


@pytest.fixture
def burst(db):
    Rule.objects.exclude(kind="neighborhood").update(threshold=5)
    now = timezone.now()
    petition = make_petition(at=now - timedelta(days=1), confirmation="afterwards")
    sign_in(petition, 6, at=now - timedelta(minutes=1), network="one.wide")
    fold_and_watch(now)
    return Burst.objects.get()


def page(name, *args):
    return reverse(f"admin:fraud_{name}", args=args)


def worked():
    while work(at=timezone.now()):
        pass


def test_the_first_page_says_that_something_goes_on(manager, burst):
    text = manager.get("/admin/").content.decode()

    assert "One cluster of signatures goes on that may not be people." in text
    assert page("burst_changelist") in text


def test_editors_see_nothing_of_it(burst):
    editor = client_of(roles.EDITOR)

    assert "burst" not in editor.get("/admin/").content.decode()
    assert editor.get(page("burst_changelist")).status_code == 403
    assert editor.get(page("burst_act", burst.pk, "remove")).status_code == 403
    assert editor.post(page("burst_act", burst.pk, "remove"), REASON).status_code == 403
    assert editor.get(page("rule_try", Rule.objects.first().pk)).status_code == 403


def test_the_list_shows_sizes_and_letters(manager, burst):
    text = manager.get(page("burst_changelist")).content.decode()

    assert burst.label in text
    assert "Going on" in text
    assert ">one<" not in text


def test_the_list_makes_the_same_queries_however_long(manager, burst, django_assert_max_num_queries):
    now = timezone.now()
    for number in range(5):
        Burst.objects.create(kind="name", key=f"{number}", found_at=now, first_at=now, last_at=now)

    with django_assert_max_num_queries(10):
        manager.get(page("burst_changelist"))


def test_a_cluster_shows_its_numbers_and_some_of_them(manager, burst):
    text = manager.get(page("burst_change", burst.pk)).content.decode()

    assert "<dt>Held</dt><dd>6</dd>" in text
    assert Signature.objects.first().email in text


@pytest.mark.parametrize("act", Batch.Act.values)
def test_what_would_change_is_shown_first(manager, burst, act):
    text = manager.get(page("burst_act", burst.pk, act)).content.decode()

    assert f"{0 if act == 'hold' else 6} signatures would change" in text
    assert Batch.objects.count() == 0


def test_removing_and_undoing_a_cluster(manager, burst):
    url = page("burst_act", burst.pk, "remove")
    manager.post(url, REASON | {"seen": 6, "with_confirmed": "False"})
    worked()
    removed = Signature.objects.filter(removal="staff").count()
    manager.post(page("burst_undo", burst.pk, Batch.objects.get().pk), {"reason": "They are a class."})
    worked()

    text = manager.get(page("burst_change", burst.pk)).content.decode()
    assert (removed, Signature.objects.filter(removal="staff").count()) == (6, 0)
    assert "Remove: 6 of 6, undone" in text


def test_a_reason_is_asked_for(manager, burst):
    answer = manager.post(page("burst_act", burst.pk, "remove"), {"seen": 6})

    assert answer.status_code == 422
    assert Batch.objects.count() == 0


def test_who_saw_another_number_is_shown_the_new_one(manager, burst):
    answer = manager.post(page("burst_act", burst.pk, "remove"), REASON | {"seen": 5}, follow=True)

    assert "It was 5 when you looked, and is 6 by now." in answer.content.decode()


def test_releasing_says_that_they_are_people(manager, burst):
    manager.post(page("burst_act", burst.pk, "release"), REASON | {"seen": 6, "dismiss": "on"})
    worked()

    burst.refresh_from_db()
    assert burst.dismissed_at
    assert Signature.objects.filter(held_at__isnull=False).count() == 0


def test_a_rule_is_tried_without_changing_anything(manager, burst):
    rule = Rule.objects.get(kind="network")

    text = manager.get(page("rule_try", rule.pk), {"threshold": 6, "minutes": 5, "hours": 2}).content.decode()
    none = manager.get(page("rule_try", rule.pk), {"threshold": 7, "minutes": 5, "hours": 2}).content.decode()

    assert "6 signatures in 1 cluster" in text
    assert "0 signatures in 0 clusters" in none
    assert Rule.objects.get(kind="network").threshold == 5


def test_a_cluster_is_made_of_what_a_rule_would_find(manager, burst):
    Burst.objects.all().delete()
    Signature.objects.update(held_at=None)
    rule = Rule.objects.get(kind="network")

    manager.post(page("rule_try", rule.pk), {"threshold": 6, "minutes": 5, "hours": 2, "key": "one"})

    assert Burst.objects.get().members.count() == 6
    assert Signature.objects.filter(held_at__isnull=False).count() == 0


@pytest.mark.parametrize("kind", ["network", "speed"])
@pytest.mark.parametrize("key", ["", "\0", "nothing", "9" * 5000, "١٢"])
def test_an_odd_key_makes_no_cluster(manager, burst, kind, key):
    rule = Rule.objects.get(kind=kind)

    answer = manager.post(page("rule_try", rule.pk), {"threshold": 6, "minutes": 5, "hours": 2, "key": key})

    assert answer.status_code == 200
    assert Burst.objects.count() == 1


def test_shared_networks_are_stored_in_one_spelling(manager):
    url = reverse("admin:signers_sharednetwork_add")
    manager.post(url, {"addresses": "203.0.113.9/24", "note": "The university."})
    wrong = manager.post(url, {"addresses": "the university", "note": "x"})

    assert SharedNetwork.objects.get().addresses == "203.0.113.0/24"
    assert "Enter a range such as" in wrong.content.decode()


@pytest.mark.parametrize(
    ("typed", "stored"), [("@Uni.Example", "uni.example"), ("bücher.example", "xn--bcher-kva.example")]
)
def test_domains_are_stored_as_addresses_have_them(manager, typed, stored):
    manager.post(page("alloweddomain_add"), {"domain": typed, "note": "The university."})

    assert AllowedDomain.objects.get().domain == stored


@pytest.mark.parametrize("typed", ["", "uni", "a b.example", "x" * 300])
def test_what_is_no_domain_is_refused(manager, typed):
    manager.post(page("alloweddomain_add"), {"domain": typed, "note": "x"})

    assert not AllowedDomain.objects.exists()


def test_rules_are_switched_and_tuned(manager):
    rule = Rule.objects.get(kind="name")

    manager.post(page("rule_change", rule.pk), {"threshold": 12, "minutes": 3})
    wrong = manager.post(page("rule_change", rule.pk), {"threshold": 1, "minutes": 3})

    rule.refresh_from_db()
    assert (rule.is_on, rule.threshold, rule.minutes) == (False, 12, 3)
    assert "Enter a number of signatures from 5 to 100,000." in wrong.content.decode()
