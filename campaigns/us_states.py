"""The regions of the United States: their names and their two letters mean the same."""

from campaigns.place_names import name_key

UNITED_STATES = "United States"
NAMES = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia",
    "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas",
    "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts",
    "MI": "Michigan", "MN": "Minnesota", "MS": "Mississippi", "MO": "Missouri", "MT": "Montana",
    "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico",
    "NY": "New York", "NC": "North Carolina", "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma",
    "OR": "Oregon", "PA": "Pennsylvania", "RI": "Rhode Island", "SC": "South Carolina",
    "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont",
    "VA": "Virginia", "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
    # Where the post delivers as well.
    "AS": "American Samoa", "FM": "Micronesia", "GU": "Guam", "MH": "Marshall Islands",
    "MP": "Northern Mariana Islands", "PR": "Puerto Rico", "PW": "Palau", "VI": "Virgin Islands",
    "AA": "Armed Forces Americas", "AE": "Armed Forces Europe", "AP": "Armed Forces Pacific",
}  # fmt: skip
KEYS = {code: name_key(name) for code, name in NAMES.items()}
CODES = {key: code for code, key in KEYS.items()}
COUNTRY_KEYS = frozenset(
    {"", "us", "usa", "u s", "u s a", "america", "united states", "united states of america"}
)


def is_united_states(country: str) -> bool:
    """An empty country counts: lists of American mayors seldom name it."""
    return name_key(country) in COUNTRY_KEYS


def state_name(region: str) -> str:
    """“OR” becomes “Oregon”; anything else stays as it is."""
    return NAMES.get(region.strip().upper(), region)


def region_key(region: str) -> str:
    """The region in the form in which regions are compared: “OR” and “Oregon” give the same."""
    return name_key(state_name(region))


def spellings(region: str) -> frozenset[str]:
    """The keys of everything people write for the region: name and two letters, where it is a state."""
    key = region_key(region)
    return frozenset({key, name_key(region), name_key(CODES.get(key, ""))} - {""})
