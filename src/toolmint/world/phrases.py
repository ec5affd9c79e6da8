"""Templates of tool documents: provider names, tool names, descriptions, argument names."""

from toolmint.world.operations import OperationKind

PROVIDERS = (
    "Trovello",
    "DataPort",
    "Nimbus Hub",
    "Ocelot",
    "Fathom",
    "Brightline",
    "Kiosk Nine",
    "Parallax",
    "Lumio",
    "Quarry",
    "OpenHarbor",
    "Stackwell",
    "Mirador",
    "Tessera",
    "Polaris Desk",
    "Finch",
    "Cobalt Index",
    "Wayfinder",
    "Salto",
    "Grove API",
    "Inkwell",
    "Meridian",
    "Pebble",
    "Arcwise",
    "Junction",
    "Helio",
    "Northgate",
    "Tandem",
    "Vantage One",
    "Zephyrus",
    "Basecamp Z",
    "Keystone",
    "Locus",
    "Rookery",
)

VERBS: dict[OperationKind, tuple[str, ...]] = {
    "find": (
        "search {plural} by {field}",
        "find {plural} with {field}",
        "{plural} by {field}",
        "lookup {field} {plural}",
    ),
    "details": (
        "get {noun} details",
        "{noun} info",
        "fetch {noun}",
        "describe {noun}",
        "read {noun} record",
    ),
    "many": ("get several {plural}", "{plural} by ids", "batch {plural}", "fetch {plural} records"),
    "get": (
        "get {noun} {field}",
        "{field} of {noun}",
        "check {noun} {field}",
        "read {field}  {noun}",
    ),
    "list": ("list {plural}", "all {plural}", "get all {plural}", "browse {plural}"),
    "extreme": (
        "rank {plural} by {field}",
        "extreme {field} {noun}",
        "top {noun} by {field}",
        "{noun} with extreme {field}",
    ),
    "quote": (
        "quote {noun} {field}",
        "calculate {noun} total",
        "estimate {field} for {noun}",
        "{noun} total {field}",
    ),
    "do": ("{verb} {noun}", "create {noun} {deed}", "make {deed} {noun}", "{noun} {deed} create"),
    "deeds": (
        "my {noun} {deed}s",
        "list {noun} {deed}s",
        "{deed}s of person {plural}",
        "find {noun} {deed} by customer",
    ),
    "undo": (
        "cancel {noun} {deed}",
        "delete {deed} {noun}",
        "revoke {noun} {deed}",
        "{noun} {deed} cancel",
    ),
}

DESCRIPTIONS: dict[OperationKind, tuple[str, ...]] = {
    "find": (
        "Find all {plural} whose {field} is the given one. Returns ids and names.",
        "This is a subfunction of {provider}. Searches {plural} by {field}.",
        "{provider}: returns the matching {plural} (id, name) for a {field}.",
    ),
    "details": (
        "Return everything that is known about one {noun}, by its id.",
        "Full record of a {noun}. You need the id; search first if you only know a name.",
        "{provider} - detailed information on a {noun}.",
    ),
    "many": (
        "Return everything that is known about several {plural}, by their ids.",
        "Full records of a list of {plural} in one call.",
        "{provider}: batch lookup of {plural}.",
    ),
    "get": (
        "Return the {field} of one {noun}.",
        "Gives only the {field} for the {noun} with this id.",
        "{provider}: {field} lookup for a single {noun}.",
    ),
    "list": (
        "List every {noun} with id and name.",
        "Returns the catalogue of {plural} (ids and names only).",
        "{provider}: all {plural}.",
    ),
    "extreme": (
        "Give the {noun} that has the lowest or the highest {field}.",
        "Find the extreme of {plural} by {field}; order says which end.",
        "{provider}: {noun} ranked first by {field}.",
    ),
    "quote": (
        "Compute the total for several at the {field} of a {noun}.",
        "Multiplies the {field} of a {noun} by an amount and returns the total.",
        "{provider}: price estimate for a {noun}. Nothing is ordered.",
    ),
    "do": (
        "To {verb} a {noun} for a person. Returns a confirmation.",
        "Creates a {deed} for a {noun}. This changes data.",
        "{provider}: make a {deed}; needs the id of the {noun}.",
    ),
    "deeds": (
        "List a person's {deed}s of {plural}, with their confirmations.",
        "Which {deed}s does this person have? Returns confirmation and id.",
        "{provider}: {deed}s by person.",
    ),
    "undo": (
        "Cancel a {deed} by its confirmation.",
        "Removes the {deed} with this confirmation. This changes data.",
        "{provider}: take back a {deed}.",
    ),
}

ARGUMENT_NAMES: dict[str, tuple[str, ...]] = {
    "value": ("{field}", "{field} value", "by {field}", "term"),
    "id": ("id", "{noun} id", "identifier", "{noun} code"),
    "ids": ("ids", "{noun} ids", "identifiers"),
    "order": ("order", "which", "end"),
    "amount": ("amount", "quantity", "count", "how many"),
    "person": ("person", "customer name", "name", "on behalf of"),
    "confirmation": ("confirmation", "{deed} code", "reference"),
}
ARGUMENT_WORDS: dict[str, tuple[str, ...]] = {
    "value": ("The {field} to look for.", "{field} of the {noun}", "Exact {field}."),
    "id": ("The id of the {noun}, such as it comes from a search.", "{noun} id", "Identifier."),
    "ids": ("The ids of the {plural}.", "A list of {noun} ids."),
    "order": ("lowest or highest", "Which end of the ranking."),
    "amount": ("How many {amount}.", "Number of {amount}, 1 or more.", "{amount}"),
    "person": ("Full name of the person.", "For whom.", "The customer's name."),
    "confirmation": (
        "The confirmation, such as C1234.",
        "Code that was given at the time of the {deed}.",
    ),
}
