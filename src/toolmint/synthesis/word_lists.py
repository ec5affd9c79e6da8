"""Everyday values by what an argument is called, for schemas that give no example."""


def _listed(text: str, mark: str = ",") -> tuple[str, ...]:
    """Return the parts of a text, their white space made plain."""
    return tuple(" ".join(part.split()) for part in text.split(mark))


CITY_NAMES = _listed(
    """
    Paris, London, New York, Tokyo, Berlin, Madrid, Rome, Sydney, Toronto, Chicago, Mumbai, Cairo,
    Lagos, Seoul, Mexico City, São Paulo, Los Angeles, San Francisco, Boston, Seattle, Amsterdam,
    Vienna, Prague, Dublin, Lisbon, Oslo, Stockholm, Helsinki, Warsaw, Athens, Istanbul, Dubai,
    Singapore, Bangkok, Jakarta, Nairobi
    """
)
COUNTRIES = _listed(
    """
    France, Germany, Japan, Brazil, Canada, India, Italy, Spain, Kenya, Australia, Mexico, China,
    Egypt, Norway, Poland, Turkey, Argentina, Nigeria, South Korea, United States, United Kingdom,
    Portugal, Sweden, Chile
    """
)
REGIONS = _listed(
    """
    Europe, Asia, Africa, North America, South America, the Middle East, Scandinavia
    """
)
PEOPLE = _listed(
    """
    Alice Johnson, Bob Smith, Carla Gomez, David Lee, Emma Brown, Farid Khan, Grace Chen, Henry
    Wilson, Ivy Martin, Jack Davis, Kira Novak, Liam Murphy, Maria Rossi, Noah Fischer, Olga
    Petrova, Priya Patel, Sam Taylor, Tina Weber, Victor Hugo, Yuki Tanaka
    """
)
LANGUAGES = _listed(
    """
    English, French, German, Spanish, Japanese, Italian, Portuguese, Arabic, Hindi, Chinese, Korean,
    Dutch
    """
)
CURRENCIES = _listed("USD, EUR, GBP, JPY, CHF, CAD, AUD, INR, BRL, SEK")
COMPANIES = _listed(
    """
    Apple, Google, Microsoft, Toyota, Siemens, Amazon, Netflix, Samsung, Nestlé, Airbus, Tesla,
    Intel
    """
)
PRODUCTS = _listed(
    """
    coffee machine, running shoes, office chair, water bottle, desk lamp, phone case, backpack,
    headphones, garden hose, winter jacket, mountain bike, keyboard
    """
)
FOODS = _listed(
    """
    tomato soup, sushi, apple pie, lentil curry, pancakes, Greek salad, fried rice, pasta
    """
)
TITLES = _listed(
    """
    The Old Man and the Sea, Inception, Yellow Submarine, Swan Lake, Silent Spring, Moby Dick,
    Casablanca, Clair de Lune, The Starry Night, Super Mario Bros
    """
)
TOPICS = _listed(
    """
    climate change, renewable energy, machine learning, public health, urban gardening, space
    travel, modern art, ancient history, personal finance, mental health, online education, marine
    biology
    """
)
COLOR_NAMES = _listed("red, blue, green, black, white, yellow, purple, orange")
SIZE_NAMES = _listed("small, medium, large")
LEVELS = _listed("low, medium, high")
STATUSES = _listed("active, pending, closed, available")
PERIODS = _listed("daily, weekly, monthly, yearly, last month, last year, the past week")
UNITS = _listed("metric, imperial, celsius, kilometers, miles")
GENRES = _listed("jazz, comedy, mystery, rock, drama, fantasy, documentary")
SPORTS = _listed("basketball, football, tennis, cricket, hockey, swimming, rugby")
ANIMALS = _listed("dog, cat, horse, rabbit, parrot, salmon, honey bee, elephant")
MATERIALS = _listed("steel, wood, aluminum, concrete, glass, copper, cotton")
SENTENCES = _listed(
    """
    The meeting moved to Friday. | Please call me back after lunch. | Happy birthday to you! | The
    package arrived this morning. | I really enjoyed the concert last night. | Where is the nearest
    train station? | We will review the plan next week. | Don't forget to feed the cat. | It was a
    bright cold day in April. | The quick brown fox jumps over the lazy dog.
    """,
    "|",
)
STREETS = _listed(
    """
    12 Main Street, 48 Oak Avenue, 7 Station Road, 221 Baker Street, 90 Elm Lane
    """
)
STOCKS = _listed("AAPL, MSFT, TSLA, GOOG, AMZN, NVDA, IBM, NFLX")
FILES = _listed("report, data, invoice, photo, scan, notes, sales, survey")
ANY_THINGS = _listed(
    """
    winter sale, blue river, green tea, north gate, spring festival, solar panel, market report,
    river bridge, night shift, harbor view, silver line, open house, team lunch, field study, paper
    crane, city walk
    """
)
BY_WORD = {
    "city,town,destination,origin,place,location,departure,arrival,venue,airport": CITY_NAMES,
    "country,nation,nationality": COUNTRIES,
    "region,continent,area,zone": REGIONS,
    "language,lang,locale": LANGUAGES,
    "currency,currencies": CURRENCIES,
    "company,brand,organization,organisation,employer,manufacturer,vendor": COMPANIES,
    "product,item,goods,equipment": PRODUCTS,
    "food,dish,recipe,meal,ingredient,ingredients,cuisine": FOODS,
    "title,movie,film,book,song,album,game,show": TITLES,
    "topic,subject,keyword,keywords,query,search,q,term,theme,interest,tag,tags": TOPICS,
    "color,colour": COLOR_NAMES,
    "size": SIZE_NAMES,
    "level,severity,priority,difficulty,risk,intensity": LEVELS,
    "status,state,condition": STATUSES,
    "period,timeframe,frequency,interval,range": PERIODS,
    "unit,units": UNITS,
    "genre": GENRES,
    "sport,team,league": SPORTS,
    "animal,pet,species,breed": ANIMALS,
    "material,substance": MATERIALS,
    "text,message,content,body,comment,sentence,note,notes,review,feedback,description": SENTENCES,
    "address,street": STREETS,
    "symbol,ticker,stock": STOCKS,
    (
        "person,user,author,artist,patient,player,customer,employee,student,participant,recipient,"
        "owner,actor,director,doctor,client,member,contact,teacher,sender"
    ): PEOPLE,
}
"""Words of an argument's name, joined by commas, and the values that it may have."""
