"""Mail providers: which domains are common, which only look like a typo, and which are one mailbox."""

# One mailbox reachable under several domains.
SAME_MAILBOX = {
    "googlemail.com": "gmail.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "protonmail.com": "proton.me",
    "pm.me": "proton.me",
}
WITHOUT_DOTS = frozenset({"gmail.com"})


def _domains(endings_by_name: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        f"{name}.{ending}" for name, endings in endings_by_name.items() for ending in endings.split()
    )


# Providers whose own help pages say that `name+anything@` arrives at `name@`. Elsewhere a plus may be part of
# somebody's name, and folding two people into one would lose a signature; a missed duplicate is only seen twice.
WITHOUT_TAGS = frozenset(
    _domains(
        {
            "gmail": "com",
            "icloud": "com",
            "proton": "me",
            "fastmail": "com fm",
            "outlook": "com de es fr it",
            "hotmail": "com co.uk de es fr it",
            "live": "com co.uk de fr nl",
            "msn": "com",
        }
    )
)

# What a typo is corrected to, the likeliest first.
COMMON = _domains(
    {
        "gmail": "com",
        "yahoo": "com co.uk fr com.br co.in",
        "hotmail": "com co.uk fr",
        "outlook": "com",
        "icloud": "com",
        "aol": "com",
        "live": "com",
        "msn": "com",
        "comcast": "net",
        "protonmail": "com",
        "proton": "me",
        "googlemail": "com",
        "fastmail": "com",
        "verizon": "net",
        "sbcglobal": "net",
        "bellsouth": "net",
        "earthlink": "net",
        "optonline": "net",
        "charter": "net",
        "att": "net",
        "cox": "net",
        "rocketmail": "com",
        "btinternet": "com",
        "bigpond": "com",
        "shaw": "ca",
        "orange": "fr",
        "wanadoo": "fr",
        "laposte": "net",
        "t-online": "de",
        "freenet": "de",
        "libero": "it",
        "telefonica": "net",
    }
)
# Providers that look like a typo of the above but are not: nobody there should be asked whether they mean another.
_ALSO_REAL = {
    "aim": "com",
    "alice": "it",
    "alive": "com",
    "ameritech": "net",
    "aol": "de fr co.uk",
    "arcor": "de",
    "att": "com",
    "bell": "ca",
    "bigpond": "net.au",
    "blueyonder": "co.uk",
    "btopenworld": "com",
    "centurylink": "net",
    "cloud": "com",
    "cox": "com",
    "duck": "com",
    "email": "com de it",
    "embarqmail": "com",
    "engineer": "com",
    "excite": "com",
    "fastmail": "fm",
    "free": "fr",
    "freenet": "com",
    "frontier": "com",
    "gmail": "ru",
    "gmx": "com de net at ch",
    "hey": "com",
    "hotmail": "de es it be ca ch cl co.jp co.nz co.th com.ar com.au com.br com.tr dk fi gr hu nl no se",
    "hushmail": "com",
    "iinet": "net.au",
    "inbox": "com lv",
    "juno": "com",
    "life": "com",
    "like": "com",
    "line": "com",
    "live": "at be ca cl cn co.uk co.za com.ar com.au com.mx com.pt de dk fr hk ie in it jp nl no se",
    "love": "com",
    "lycos": "com",
    "mac": "com",
    "mail": "com de ru",
    "mailbox": "org",
    "me": "com",
    "mindspring": "com",
    "myself": "com",
    "netzero": "net",
    "neuf": "fr",
    "ntlworld": "com",
    "olive": "com",
    "online": "de",
    "optusnet": "com.au",
    "orange": "com es net",
    "outlook": (
        "at be cl co.id co.nz co.th com.au com.br com.tr cz de dk es fr hu ie in it jp kr lv my ph "
        "pt sa sg sk"
    ),
    "pacbell": "net",
    "peoplepc": "com",
    "pm": "me",
    "post": "com",
    "posteo": "de",
    "prodigy": "net",
    "qq": "com",
    "rogers": "com",
    "sfr": "fr",
    "shaw": "com",
    "sky": "com",
    "snet": "net",
    "swbell": "net",
    "sympatico": "ca",
    "talktalk": "net",
    "telus": "net",
    "tin": "it",
    "tiscali": "it",
    "tuta": "io",
    "tutanota": "com",
    "usa": "com net",
    "virgilio": "it",
    "virginmedia": "com",
    "web": "de",
    "windstream": "net",
    "xtra": "co.nz",
    "yahoo": (
        "de es it ca in ie gr se no dk pl ro co.jp co.id co.nz co.kr com.ar com.au com.hk com.mx "
        "com.ph com.sg com.tr com.tw com.vn"
    ),
    "yandex": "com ru",
    "ymail": "com",
    "zoho": "com",
}
KNOWN = frozenset(COMMON) | frozenset(_domains(_ALSO_REAL))
# Providers with a single domain: their name before any other ending is a typo.
ONLY_HERE = {
    "gmail": "gmail.com",
    "googlemail": "googlemail.com",
    "icloud": "icloud.com",
    "comcast": "comcast.net",
}

# Endings nobody has, and what the fingers meant.
MISTYPED_ENDINGS = {
    typed: meant
    for meant, slips in {
        "com": "con cmo ocm cpm cim vom xom comm coom ccom comn cok cm om",
        "net": "ney nte ent nett nrt met bet",
        "org": "ogr orgg ort rog",
    }.items()
    for typed in slips.split()
}
REAL_ENDINGS = frozenset(
    {"cm", "om", "bet"}
)  # do exist, so they count as a slip only behind a provider's name
