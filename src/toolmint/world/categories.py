"""The table of ToolWorld's record categories: their fields, name parts and the action on a record."""

from typing import Literal, NamedTuple

FieldKind = Literal["city", "person", "date", "money", "count", "score", "word", "flag"]


class Field(NamedTuple):
    """A field of a record: its name, the kind of its value, and the choices of a ``word`` field."""

    name: str
    kind: FieldKind
    words: tuple[str, ...] = ()


class Category(NamedTuple):
    """A category of records, such as flights.

    Attributes:
        name: plural noun, as in tool names.
        noun: singular noun.
        code: two letters that begin each identifier (``FL123``).
        tails: possible second words of a record's name.
        fields: fields of a record, besides identifier and name.
        verb: the action on a record, in the infinitive (``book``).
        deed: noun of that action (``booking``).
        amount: unit that the action counts (``seats``).
    """

    name: str
    noun: str
    code: str
    tails: tuple[str, ...]
    fields: tuple[Field, ...]
    verb: str
    deed: str
    amount: str

    def field(self, name: str) -> Field:
        """Return the field of this name; StopIteration where there is none."""
        return next(field for field in self.fields if field.name == name)


def _fields(text: str) -> tuple[Field, ...]:
    """Parse ``name:kind`` pairs; ``name:a|b|c`` is a ``word`` field with these choices."""
    kinds: dict[str, FieldKind] = {
        "city": "city",
        "person": "person",
        "date": "date",
        "money": "money",
        "count": "count",
        "score": "score",
        "flag": "flag",
    }
    found: list[Field] = []
    for part in text.split():
        name, _, kind = part.partition(":")
        words = tuple(word.replace("_", " ") for word in kind.split("|"))
        known = kinds.get(kind)
        found.append(Field(name, known) if known else Field(name, "word", words))
    return tuple(found)


def _category(name: str, noun: str, code: str, tails: str, fields: str, deed: str) -> Category:
    verb, thing, amount = deed.split()
    return Category(name, noun, code, tuple(tails.split()), _fields(fields), verb, thing, amount)


CATEGORIES: tuple[Category, ...] = (
    _category(
        "flights",
        "flight",
        "FL",
        "Shuttle Express Hopper Connection",
        "origin:city destination:city departure:date fare:money seats_left:count carrier:Norda|Velaria|Skylark|Aerona",
        "book booking seats",
    ),
    _category(
        "hotels",
        "hotel",
        "HT",
        "Hotel Inn Lodge Residence",
        "city:city stars:score nightly_rate:money rooms_free:count pool:flag style:modern|classic|rustic|boutique",
        "reserve reservation rooms",
    ),
    _category(
        "restaurants",
        "restaurant",
        "RS",
        "Kitchen Table Bistro Grill",
        "city:city cuisine:Thai|Italian|Mexican|Lebanese|Japanese menu_price:money rating:score vegan:flag chef:person",
        "reserve table guests",
    ),
    _category(
        "books",
        "book",
        "BK",
        "Chronicle Garden Letters Voyage",
        "author:person published:date pages:count genre:crime|fantasy|history|poetry price:money copies:count",
        "order order copies",
    ),
    _category(
        "movies",
        "movie",
        "MV",
        "Returns Nights Horizon Promise",
        "director:person release:date runtime:count genre:drama|comedy|thriller|animation score:score country:France|Korea|Brazil|Canada",
        "rent rental days",
    ),
    _category(
        "concerts",
        "concert",
        "CN",
        "Live Festival Session Tour",
        "city:city day:date performer:person ticket_price:money tickets_left:count venue:hall|arena|park|club",
        "buy ticket tickets",
    ),
    _category(
        "parcels",
        "parcel",
        "PC",
        "Box Crate Envelope Case",
        "sender:person destination:city shipped:date weight:count status:packed|in_transit|delivered|held postage:money",
        "insure policy months",
    ),
    _category(
        "clinics",
        "clinic",
        "CL",
        "Clinic Practice Centre Surgery",
        "city:city specialty:dentistry|cardiology|dermatology|pediatrics fee:money next_opening:date doctor:person rating:score",
        "arrange appointment visits",
    ),
    _category(
        "jobs",
        "job",
        "JB",
        "Position Role Post Opening",
        "city:city salary:money field:design|nursing|logistics|teaching posted:date recruiter:person remote:flag",
        "request interview slots",
    ),
    _category(
        "houses",
        "house",
        "HS",
        "Villa Cottage Flat Manor",
        "city:city price:money bedrooms:count built:date agent:person garden:flag",
        "arrange viewing visitors",
    ),
    _category(
        "recipes",
        "recipe",
        "RC",
        "Stew Salad Curry Pie",
        "author:person minutes:count calories:count diet:vegan|vegetarian|keto|omnivore rating:score added:date",
        "print card copies",
    ),
    _category(
        "courses",
        "course",
        "CR",
        "Basics Workshop Seminar Bootcamp",
        "teacher:person city:city start:date tuition:money subject:statistics|painting|welding|Latin places:count",
        "join enrolment places",
    ),
    _category(
        "museums",
        "museum",
        "MS",
        "Museum Gallery Collection Archive",
        "city:city entry_fee:money theme:ships|minerals|textiles|astronomy opened:date curator:person visitors:count",
        "plan tour people",
    ),
    _category(
        "cars",
        "car",
        "CA",
        "Wagon Coupe Sedan Van",
        "city:city daily_rate:money fuel:diesel|petrol|electric|hybrid doors:count owner:person inspected:date",
        "hire hire days",
    ),
    _category(
        "stocks",
        "stock",
        "ST",
        "Holdings Industries Works Partners",
        "chairman:person price:money sector:energy|retail|mining|software dividend:money listed:date headquarters:city",
        "buy trade shares",
    ),
    _category(
        "songs",
        "song",
        "SG",
        "Blues Waltz Anthem Ballad",
        "singer:person released:date seconds:count genre:jazz|folk|techno|soul rating:score label:Amber|Kite|Northside|Lumen",
        "license license uses",
    ),
    _category(
        "trains",
        "train",
        "TR",
        "Line Arrow Regional Sleeper",
        "origin:city destination:city departure:date fare:money platform:count class:first|second|sleeper|panorama",
        "book ticket passengers",
    ),
    _category(
        "gyms",
        "gym",
        "GY",
        "Fitness Arena Boxing Yoga",
        "city:city monthly_fee:money trainer:person sauna:flag rating:score members:count",
        "begin membership months",
    ),
    _category(
        "plants",
        "plant",
        "PL",
        "Fern Lily Cactus Maple",
        "family:rose|orchid|grass|pine height:count price:money blooms:date gardener:person stock:count",
        "order delivery pots",
    ),
    _category(
        "matches",
        "match",
        "MT",
        "Derby Final Cup Friendly",
        "city:city day:date referee:person sport:football|rugby|handball|hockey ticket_price:money attendance:count",
        "buy ticket tickets",
    ),
    # From here on: categories that no training tool is about.
    _category(
        "ferries",
        "ferry",
        "FE",
        "Crossing Passage Clipper Strait",
        "harbour:city arrival_port:city sailing:date fare:money captain:person berths:count",
        "book passage berths",
    ),
    _category(
        "laptops",
        "laptop",
        "LP",
        "Book Pad Station Slate",
        "maker:Orbex|Tamarind|Quill|Zephyr price:money memory:count released:date rating:score reviewer:person",
        "order order pieces",
    ),
    _category(
        "podcasts",
        "podcast",
        "PD",
        "Hour Diaries Radio Talks",
        "host:person episodes:count topic:law|space|cooking|chess started:date rating:score city:city",
        "book advert weeks",
    ),
    _category(
        "vineyards",
        "vineyard",
        "VY",
        "Estate Slope Cellar Terrace",
        "city:city grape:Merlot|Riesling|Malbec|Syrah bottle_price:money owner:person founded:date bottles:count",
        "reserve tasting guests",
    ),
    _category(
        "shelters",
        "shelter dog",
        "SD",
        "Rover Biscuit Pepper Scout",
        "breed:beagle|poodle|husky|terrier age:count city:city arrived:date keeper:person adoption_fee:money",
        "arrange meeting visitors",
    ),
    _category(
        "satellites",
        "satellite",
        "SA",
        "Probe Relay Observer Beacon",
        "operator:Helix|Norspace|Pacifica|Terran altitude:count launch:date cost:money mission:weather|navigation|imaging|relay engineer:person",
        "schedule pass minutes",
    ),
)
SEEN_CATEGORIES = 20
"""Number of categories, from the first, that have training tools; the others appear in ``unseen`` only."""

CITIES = tuple(
    """Porto Lyon Graz Tampere Leeds Bergen Turin Gdansk Seville Ghent Basel Malmo Cork Split Varna Riga
    Osaka Busan Hanoi Pune Perth Quito Lima Davao Accra Tunis Dakar Aqaba Muscat Izmir Tbilisi Almaty
    Boise Tulsa Fresno Halifax Merida Cusco Rosario Recife""".split()
)
FIRST_NAMES = tuple(
    """Ada Bruno Carla Dmitri Elena Farid Greta Hugo Ines Jonas Kavya Liam Mina Nadia Oscar Priya Quinn Rosa
    Sami Tara Umar Vera Wim Ximena Yusuf Zoe Anders Bianca Cyrus Daria""".split()
)
LAST_NAMES = tuple(
    """Okafor Lindqvist Moreau Tanaka Haddad Silva Novak Petrov Castillo Brandt Iyer Kowalski Marino Nakamura
    Osei Quispe Rahman Schaefer Toledo Ueda Varga Weber Yilmaz Zhang Aalto Bianchi Cohen Dubois""".split()
)
HEAD_WORDS = tuple(
    """Amber Blue Cedar Dawn Ember Falcon Golden Harbor Iron Juniper Kestrel Lunar Maple North Olive Prime
    Quartz River Silver Terra Umber Velvet Willow Yellow Zenith Coral Misty Royal Sunny Wild""".split()
)
