"""Share images: what stands on them, setting any script, keeping them up to date, and where they are served."""

import io
import logging
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from petitions.models import FormerAddress, Petition, ShareImage
from petitions.pages import absolute
from petitions.share_images import faces, keeping, typesetting
from petitions.share_images.clusters import clusters_of
from petitions.share_images.content import Content, content_of, live_contents, rounded_down
from petitions.share_images.drawing import draw
from petitions.share_images.faces import FACES, SHAPES
from petitions.share_images.keeping import Painter
from petitions.share_images.typesetting import runs_of, set_text
from tests.factories import NOW, make_organization, make_petition, make_version

HEAVIEST = 150_000  # bytes


def content(**fields):
    return Content(
        **{
            "headline": "Open Rivermouth’s library on Sundays",
            "addressee": "Mayor Ada Okafor",
            "place_name": "Rivermouth",
            "kind": "demand",
            "state": "open",
            "count": 1200,
            "organization": "Readers’ Common",
            "accent": "#175a66",
        }
        | fields
    )


def opened(png):
    image = Image.open(io.BytesIO(png))
    image.load()
    return image


def text_of(setting):
    return ["".join(run.text for run in runs_of(line, rightward=setting.rightward)) for line in setting.lines]


def in_logical_order(setting):
    return ["".join(cluster.text for cluster in line) for line in setting.lines]


def headline(text, **box):
    return set_text(text, **({"width": 1000, "height": 300, "largest": 116, "smallest": 36} | box))


# --- What stands on it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (None, None),
        (0, None),
        (9, None),
        (10, 10),
        (99, 90),
        (100, 100),
        (149, 100),
        (499, 450),
        (599, 500),
        (1204, 1000),
        (1250, 1250),
        (4999, 4750),
        (5499, 5000),
        (12_499, 10_000),
        (1_234_567, 1_000_000),
    ],
)
def test_count_is_rounded_down_in_steps_that_grow(count, shown):
    assert rounded_down(count) == shown


def test_a_growing_petition_gets_few_images():
    assert len({rounded_down(count) for count in range(10_000)}) < 60


@pytest.mark.django_db
def test_content_read_in_bulk_is_the_content_of_the_petition():
    petition = make_petition(organization=make_organization(accent="#7a1f3d"))
    won = make_petition(won_at=NOW, closed_at=NOW)
    over = make_petition(closes_at=NOW)
    below_floor = make_petition()
    for each, count in ((petition, 120), (below_floor, 120)):
        each.tally.count = count
        each.tally.save()
    below_floor.campaign.count_floor = 121
    below_floor.campaign.save()
    make_petition(live=False)

    found = {pk: each for pk, _digest, each in live_contents(at=NOW)}

    petitions = {each.pk: each for each in Petition.objects.public(at=NOW).for_page()}
    assert found == {
        pk: content_of(each, each.current_version, state=each.state(NOW)) for pk, each in petitions.items()
    }
    assert [found[each.pk].state for each in (petition, won, over)] == ["open", "won", "closed"]
    assert [found[each.pk].count for each in (petition, below_floor)] == [100, None]


@pytest.mark.parametrize(
    "change",
    [
        {"headline": "Open"},
        {"addressee": "Mayor Bo Quill"},
        {"place_name": "Hillford"},
        {"kind": "thank-you"},
        {"state": "won"},
        {"count": 1250},
        {"organization": "Lamp & Page"},
        {"accent": "#7a1f3d"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_is_drawn_changes_digest_and_image(change):
    assert content(**change).digest != content().digest
    assert draw(content(**change)) != draw(content())


# --- Setting -------------------------------------------------------------------------------------------------


def test_lines_are_of_like_length():
    setting = headline("Thank you for opening Hillford’s library on Sundays", width=700)

    widths = [setting.width_of(line) for line in setting.lines]

    assert len(widths) > 1
    assert min(widths) > 0.6 * max(widths)


def test_text_stays_inside_its_box():
    for text in ("Yes", "Open the library on Sundays, " * 8, "W" * 300, "ก" * 200, "图" * 200):
        setting = headline(text)

        assert setting.width <= 1000 * 1.01
        assert setting.height <= 300


def test_three_hundred_characters_fit_without_losing_a_word():
    text = "Open the library on Sundays for all of us who work. " * 6

    assert " ".join(in_logical_order(headline(text[:299]))) == text[:299].strip()


def test_what_does_not_fit_ends_in_an_ellipsis():
    lines = in_logical_order(headline("W" * 300))

    assert lines[-1].endswith("W…")


def test_long_words_are_made_small_before_they_are_torn():
    word = "Donaudampfschifffahrtsgesellschaft"

    assert in_logical_order(headline(word)) == [word]


@pytest.mark.parametrize(
    ("text", "font"),
    [
        ("Łódź, İstanbul, Đà Nẵng", "brygada"),
        ("Откройте библиотеку", "brygada"),
        ("Ανοίξτε τη βιβλιοθήκη", "brygada"),
        ("افتحوا المكتبة", "arabic"),
        ("פתחו את הספרייה", "hebrew"),
        ("पुस्तकालय खोलें", "devanagari"),
        ("গ্রন্থাগার খুলুন", "bengali"),
        ("நூலகத்தைத் திறக்கவும்", "tamil"),
        ("เปิดห้องสมุด", "thai"),
        ("បើកបណ្ណាល័យ", "khmer"),
        ("ቤተ መጻሕፍት", "ethiopic"),
        ("도서관을 열어 주세요", "kr"),
        ("开放图书馆", "droid"),
        ("図書館を開けて", "droid"),
    ],
)
def test_each_script_has_a_font_that_sets_all_of_it(text, font):
    clusters = clusters_of(text)

    assert "".join(cluster.text for cluster in clusters) == text
    assert all(cluster.face.covers(cluster.text) for cluster in clusters)
    assert {cluster.face.file for cluster in clusters if not cluster.is_space} - {clusters[0].face.file} <= {
        "brygada-1918-semibold.ttf"
    }
    assert font in clusters[0].face.file


def test_every_font_is_there_and_knows_its_characters():
    for face in FACES:
        assert len(face.characters) > 50, face.file
        assert face.font(40).getlength("a") > 0, face.file


@pytest.mark.skipif(not SHAPES, reason="needs the system's FriBidi")
def test_letters_are_joined_and_stacked_as_their_script_asks():
    arabic, devanagari = (
        next(face for face in FACES if name in face.file) for name in ("arabic", "devanagari")
    )

    assert arabic.font(100).getlength("ببب") < 0.8 * 3 * arabic.font(100).getlength("ب")
    assert devanagari.font(100).getlength("क्ष") < devanagari.font(100).getlength("कष")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Open now", ["Open now"]),
        ("שלום Open 12 ימים", ["ימים", "Open 12", "שלום"]),
        ("שלום 14:30 ימים", ["ימים", "14:30", "שלום"]),
        ("Open שלום 1,200 now", ["Open", "1,200", "שלום", "now"]),
        ("Open מכתבה (now)", ["Open", "מכתבה", "(now)"]),
    ],
)
def test_directions_are_mixed_as_the_reader_expects(text, seen):
    """Each run as it is handed to the shaper, from left to right."""
    setting = headline(text, height=120)

    runs = [run.text for line in setting.lines for run in runs_of(line, rightward=setting.rightward)]

    assert [run.strip() for run in runs if run.strip()] == seen


def test_pictures_without_a_font_are_left_out_and_fancy_letters_made_plain():
    clusters = clusters_of("𝕺𝖕𝖊𝖓 👩‍👩‍👧 the 🇺🇳 library ♥")

    assert "".join(cluster.text for cluster in clusters) == "Open the library ♥"


def test_heaps_of_marks_and_invisible_characters_are_cleared_away():
    clusters = clusters_of("o" + "\u0308" * 50 + "\u202e\x00\x07\ud800\u2066pen")

    assert [len(cluster.text) for cluster in clusters] == [5, 1, 1, 1]


# --- Drawing -------------------------------------------------------------------------------------------------

ODD = {
    "nothing": content(headline="", addressee="", place_name="", organization=""),
    "no spaces": content(
        headline="W" * 300, addressee="W" * 300, place_name="W" * 120, organization="W" * 120
    ),
    "marks": content(headline="Z" + "\u0301\u0335\u0489" * 17 + "o" + "\u0308" * 50),
    "only marks": content(headline="\u0308" * 300),
    "controls": content(headline="\x00\x07\x1b\ud800\udfff\u202e\u2066\ufeff\uffff"),
    "two directions": content(headline="Open מכתבה 12-14 and مكتبة 3.5% (now)", addressee="שלום"),
    "pictures": content(headline="👩‍👩‍👧‍👦🇺🇳✊🏽" * 10),
    "a script without a font": content(headline="ᜊᜌ᜔ᜊᜌᜒᜈ᜔ 𐤀𐤁𐤂"),
    "huge count": content(count=10**30),
    "white": content(accent="#ffffff"),
    "black": content(accent="#000000"),
    "no color": content(accent=""),
    "won without count": content(state="won", count=None),
    "closed": content(state="closed", count=None),
    "Tibetan and Burmese": content(headline="བོད་ཡིག " * 30, addressee="မြန်မာ" * 40, kind="thank-you"),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_nothing_is_too_odd_to_be_drawn(odd):
    png = draw(odd)

    assert opened(png).size == (1200, 630)
    assert len(png) < HEAVIEST


@given(text=st.text(max_size=300))
@hypothesis_settings(max_examples=40)
def test_any_text_can_be_drawn(text):
    png = draw(content(headline=text, addressee=text[:100], organization=text[::-1], kind="thank-you"))

    assert len(png) < HEAVIEST


def test_without_fribidi_every_script_is_still_drawn_and_the_log_told_once(monkeypatch, caplog, db):
    monkeypatch.setattr(faces, "SHAPES", False)
    monkeypatch.setattr(typesetting, "SHAPES", False)
    faces.load.cache_clear()
    typesetting.length.cache_clear()
    for headline_text in ("افتحوا المكتبة", "पुस्तकालय खोलें"):
        make_version(make_petition(live=False), headline=headline_text)

    drawn = Painter(has_warned=False).draw_due(at=NOW)
    faces.load.cache_clear()
    typesetting.length.cache_clear()

    assert drawn == 2
    assert [record.getMessage() for record in caplog.records] == [keeping.UNSHAPED]


def test_the_band_has_exactly_the_color_of_the_organization_and_the_paper_is_white():
    image = opened(draw(content(accent="#ffd400"))).convert("RGB")

    assert image.getpixel((2, 628)) == (0xFF, 0xD4, 0x00)
    assert image.getpixel((2, 2)) == (255, 255, 255)


def test_margins_are_kept_free():
    for odd in ODD.values():
        page = opened(draw(odd)).convert("L").crop((0, 0, 1200, 490))
        ink = page.point(lambda value: 255 if value < 128 else 0).getbbox()

        assert ink is None or (ink[0] >= 40 and ink[1] >= 20 and ink[2] <= 1160)


# --- Keeping -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_worker_draws_what_is_missing_and_then_has_nothing_to_do():
    petition = make_petition()
    make_petition(live=False)
    make_petition(at=NOW + timedelta(days=1))
    painter = Painter()

    assert painter.draw_due(at=NOW) == 1
    assert painter.draw_due(at=NOW) == 0
    image = ShareImage.objects.get()
    assert image.petition == petition
    assert opened(bytes(image.png)).size == (1200, 630)


@pytest.mark.django_db
def test_image_is_drawn_anew_when_something_on_it_changes_and_only_then():
    petition = make_petition()
    painter = Painter()
    painter.draw_due(at=NOW)
    first = ShareImage.objects.get().digest
    make_version(petition, statement="Another statement.")
    unchanged = painter.draw_due(at=NOW)

    make_version(petition, headline="Open it on Saturdays")

    assert unchanged == 0
    assert painter.draw_due(at=NOW) == 1
    assert ShareImage.objects.get().digest != first


@pytest.mark.django_db
def test_looking_for_work_is_one_query(django_assert_num_queries):
    for _ in range(3):
        make_petition()
    painter = Painter()
    painter.draw_due(at=NOW)

    with django_assert_num_queries(1):
        painter.draw_due(at=NOW)


@pytest.mark.django_db
def test_batches_are_bounded_and_stop_when_asked():
    for _ in range(3):
        make_petition()
    painter = Painter()
    asked = iter([True, False])

    assert painter.draw_due(at=NOW, keep_on=lambda: next(asked)) == 1
    assert painter.draw_due(at=NOW, limit=1) == 1
    assert ShareImage.objects.count() == 2


@pytest.mark.django_db
def test_petition_that_cannot_be_drawn_is_logged_once_and_blocks_no_other(monkeypatch, caplog):
    bad, good = make_petition(), make_petition()
    make_version(bad, headline="Bad")

    def fails(content):
        if content.headline == "Bad":
            raise ValueError("no")
        return draw(content)

    monkeypatch.setattr(keeping, "draw", fails)
    painter = Painter()
    with caplog.at_level(logging.ERROR):
        painter.draw_due(at=NOW)
        painter.draw_due(at=NOW)

    assert [image.petition for image in ShareImage.objects.all()] == [good]
    assert [record.getMessage() for record in caplog.records] == [
        f"The share image of petition {bad.pk} could not be drawn."
    ]


# --- Serving -------------------------------------------------------------------------------------------------


@pytest.fixture
def drawn(db):
    petition = make_petition(at=timezone.now() - timedelta(days=1))
    Painter().draw_due(at=timezone.now())
    return Petition.objects.select_related("share_image").get(pk=petition.pk)


def test_current_image_may_be_kept_for_ever(drawn, client: Client, django_assert_num_queries):
    with django_assert_num_queries(1):
        answer = client.get(f"/petitions/{drawn.slug}/share-{drawn.share_image.digest}.png")

    assert answer["Content-Type"] == "image/png"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.content == bytes(drawn.share_image.png)
    assert not answer.cookies


def test_posts_shared_before_a_change_get_the_image_as_it_is_now_for_a_short_time(drawn, client: Client):
    answer = client.get(f"/petitions/{drawn.slug}/share-0123abcd.png", headers={"accept-encoding": "gzip"})

    assert answer.content == bytes(drawn.share_image.png)
    assert "max-age=0" in answer["Cache-Control"]


def test_image_is_found_at_a_former_address(drawn, client: Client):
    FormerAddress.objects.create(slug="once", petition=drawn)

    assert client.get("/petitions/once/share-0123abcd.png").content == bytes(drawn.share_image.png)


def test_without_an_image_or_a_public_page_there_is_none(drawn, client: Client):
    undrawn = make_petition(at=timezone.now() - timedelta(days=1))
    address = f"/petitions/{drawn.slug}/share-{drawn.share_image.digest}.png"
    Petition.objects.filter(pk=drawn.pk).update(live_at=None)

    assert client.get(f"/petitions/{undrawn.slug}/share-0123abcd.png").status_code == 404
    assert client.get(address).status_code == 404


def test_page_names_its_image_in_the_same_query_and_without_reading_it(
    drawn, client: Client, django_assert_num_queries
):
    with django_assert_num_queries(1) as queries:
        page = client.get(drawn.get_absolute_url()).content.decode()

    url = f"/petitions/{drawn.slug}/share-{drawn.share_image.digest}.png"
    assert f'<meta property="og:image" content="{absolute(url)}">' in page
    assert '<meta property="og:image:width" content="1200">' in page
    assert '<meta name="twitter:card" content="summary_large_image">' in page
    assert "Open Rivermouth’s library on Sundays – a petition to Mayor Ada Okafor" in page
    assert '"png"' not in queries[0]["sql"]


def test_page_without_an_image_names_none(client: Client, db):
    petition = make_petition(at=timezone.now() - timedelta(days=1))

    page = client.get(petition.get_absolute_url()).content.decode()

    assert "og:image" not in page
    assert '<meta name="twitter:card" content="summary">' in page
