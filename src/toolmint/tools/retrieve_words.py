"""The words of questions and of tools: stems, words that mean the same of tools, and what a verb wants."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, cast

import snowballstemmer  # pyright: ignore[reportMissingTypeStubs]

Intent = Literal["list", "create", "update", "delete"]
"""What a call does to what it is about; ``list`` is any that only reads."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+|\d+")
_NAME = re.compile(r"\b[A-Z][a-z]+[A-Z][A-Za-z]*\b")
_FUNCTION = (
    "a an the of to in on for and or is are be with by from at as this that it its i you we me my your our "
    "us he him his she her they them their there these those some somebody someone something anybody any do "
    "does did done have has had having was were been being will would shall should may might must not no so "
    "than then just now still also too very much many more most if when while into about over under out up "
    "down off again let lets please can could need want get give tell know make"
)
_QUESTION = "what how which who whom whose where why whoever"
_STOP = frozenset(f"{_FUNCTION} {_QUESTION}".split())
_PHRASES: tuple[tuple[str, str], ...] = (
    (r"\b(?:log|sign)(?:ged|s)? ?in\b", "login"),
    (r"\b(?:log|sign)(?:ged|s)? ?out\b", "logout"),
    (r"\bsign(?:ed|s)? ?up\b", "register"),
    (r"\bday(?:s)? off\b", "holiday"),
    (r"\bmoney back\b", "refund"),
    (r"\b(?:give|send|pay)s? (?:.{0,40} )?back\b", "refund"),
    (r"\b(?:turn|switch)(?:ed|s)? off and on\b", "restart reboot action"),
    (r"\bthrow(?:s)? away\b", "delete"),
    (r"\bget(?:s)? rid of\b", "delete"),
    (r"\btick(?:s)? off\b", "update check state complete"),
    (r"\blook(?:s)? up\b", "search"),
    (r"\bset(?:s)? up\b", "create"),
    (r"\bpay(?:s)? out\b", "payout"),
    (r"\bwho(?:m|ever)?\b", "member user person"),
    (r"\bdo (?:I|we) have\b", "member my own"),
    (r"\bmakes? \w+ an? \w+", "assign role"),
    (r"\bhow far\b", "distance"),
    (r"\bhow (?:hot|cold|warm)\b", "temperature weather"),
    (r"\bhow (?:much|expensive)\b", "price amount balance"),
    (r"\bevery (?:morning|day|night|week|month|hour)\b", "schedule cron recurring daily frequency"),
    (r"\bas soon as\b", "alert notify"),
    (r"\b(?:tell|warn|inform) (?:me|us) (?:when|if|as|once)\b", "alert notify"),
    (r"\bweb ?(?:site|page)s?\b", "site page web"),
    (r"\be-?mails?\b", "email"),
    (r"\btwenty|[0-9]+ ?percent\b", "percent discount"),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}\b", "ip address"),
    (r"\b[\w.]+@[\w.]+\b", "email"),
    (r"\bwww\.[\w.]+\b", "domain"),
)
_SAME = """
mail email inbox message
picture image photo photograph icon
telephone phone number mobile
malicious abuse abusive attack threat reputation spam
bill invoice
money balance amount fund
owe balance invoice due bill
pay payment charge
buy purchase order checkout
shop store
price cost rate fee quote
dollar euro pound currency yen exchange
convert exchange
house home property apartment flat
rent rental lease
school education college
near nearby around radius close proximity
code coupon promotion discount
video movie film clip
song track music audio
watch stream view
online stream internet
show display list
member user people person participant
belong member
administrator admin role permission
password credential secret auth passwordless
login authenticate session
tongue language
scripture bible
chapter verse book
read retrieve
bug issue defect ticket
machine server node host instance droplet vm
computer machine download
save download store
disk volume storage
copy replica scale clone
night schedule cron daily
picture snapshot image
snapshot backup
site website domain url page uptime
down uptime outage health status
change update modify diff edit
commit revision change
watch watcher subscribe follow
like favourite favorite star
reply comment
say quote said
rain precipitation weather forecast
walk walkable pedestrian
weigh weight mass kilogram bmi
overweight bmi mass
tall height
gallon gas fuel petrol
airport flight airline
restaurant table food meal
book reserve booking reservation
holiday vacation
deliver delivery shipping post deliverable
post mail postal
street address
search find query lookup
similar related like suggestion
negative positive sentiment tone
positive sentiment
review rating feedback
solve solved solution
problem question exercise
free giveaway
soon upcoming coming next
real valid validate verify
check verify validate
owner author finder
firewall rule
point record dns
secret password
episode progress tracking
seen watched progress
make create crew
voice cast actor
figure data number metric
falls price below
sick health disease
job work task employment
doctor medical health
team group organization
company business firm
stock share ticker
cart checkout basket
page link session
bank account payout
start create launch run
stop cancel end
put add create
picture avatar
file document attachment
folder directory
repository project repo
customer client buyer
eat diet habit food fact
live habitat location
"""
_VERBS: Mapping[Intent, str] = {
    "list": "list get read show find search retrieve fetch look view see query check watch tell describe "
    "count display",
    "create": "create add new post insert register start open file write book order store make put launch "
    "send submit upload fork import give run set up take approve pay",
    "update": "update change edit modify replace patch set move rename put assign point configure switch "
    "turn",
    "delete": "delete remove destroy cancel stop clear drop revoke end",
}
_stemmer: Any = cast("Any", snowballstemmer).stemmer("english")


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return the stem of a word in lower case."""
    return str(_stemmer.stemWord(word))


def query_words(text: str) -> list[str]:
    """Return the stems of a text's words; identifiers are split at capitals and underscores."""
    return [stem(word.lower()) for word in _WORD.findall(text) if word.lower() not in _STOP]


def text_words(text: str) -> list[str]:
    """Return the stems of a text's words, and names with capitals inside as one word too (``LinkedIn``)."""
    return query_words(text) + [stem(name.lower()) for name in _NAME.findall(text)]


def phrase_words(text: str) -> list[list[str]]:
    """Return, for each phrase of a question, the stems of the words that tools have for it.

    Such as ``login`` for "log in"; each of a phrase's words stands for the whole of it.
    """
    found = [words for pattern, words in _PHRASES if re.search(pattern, text, re.IGNORECASE)]
    return [query_words(words) for words in found]


@lru_cache(maxsize=1)
def _synonyms() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for line in _SAME.split("\n"):
        stems = [stem(word) for word in line.split()]
        for one in stems:
            found.setdefault(one, set()).update(stems)
    return {one: frozenset(others - {one}) for one, others in found.items()}


def synonyms(word: str) -> frozenset[str]:
    """Return the stems that mean much the same as a stem where tools are described."""
    return _synonyms().get(word, frozenset())


@lru_cache(maxsize=1)
def _intents() -> dict[str, frozenset[Intent]]:
    found: dict[str, set[Intent]] = {}
    for intent, verbs in _VERBS.items():
        for verb in verbs.split():
            found.setdefault(stem(verb), set()).add(intent)
    return {verb: frozenset(intents) for verb, intents in found.items()}


def intents_of(words: list[str]) -> frozenset[Intent]:
    """Return what the first verb among stems may want; nothing where there is none."""
    known = _intents()
    return next((known[word] for word in words if word in known), frozenset[Intent]())


_ASKS = re.compile(
    r"^\s*(?:what|how|which|who|whom|whose|where|when|why|is|are|was|were|do|does|did|can|could|will|show|list)\b",
    re.IGNORECASE,
)


def question_intents(text: str) -> frozenset[Intent]:
    """Return what a question may want: one that asks wants to read, an order what its verb says."""
    if _ASKS.match(text):
        return frozenset({"list"})
    words = [stem(word.lower()) for word in _WORD.findall(text)]
    phrases = [word for phrase in phrase_words(text) for word in phrase]
    return intents_of(phrases) or intents_of(words[:6])
