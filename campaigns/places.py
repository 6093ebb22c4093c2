"""Finding a place by what somebody typed, and listing it where it is new."""

from campaigns.models import Place


def find(*, name: str, region: str = "", country: str = "") -> Place | None:
    """The listed place of this name, whatever its case; without region or country, the only one that fits.

    “Springfield” alone finds Springfield, Oregon while that is the only Springfield listed. At most two queries.
    """
    name, region, country = tidy(name, region, country)
    places = Place.objects.filter(name__iexact=name)
    exact = places.filter(region__iexact=region, country__iexact=country).first()
    if exact is not None or (region and country):
        return exact
    if region:
        places = places.filter(region__iexact=region)
    if country:
        places = places.filter(country__iexact=country)
    fitting = list(places[:2])
    return fitting[0] if len(fitting) == 1 else None


def find_or_create(*, name: str, region: str = "", country: str = "") -> Place:
    found = find(name=name, region=region, country=country)
    if found is not None:
        return found
    name, region, country = tidy(name, region, country)
    place, _created = Place.objects.get_or_create(name=name, region=region, country=country)
    return place


def tidy(*parts: str) -> list[str]:
    return [" ".join(part.split()) for part in parts]
