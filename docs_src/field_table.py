"""Write docs/fields.md from the tables of fields that the gateway understands.

python docs_src/field_table.py            # writes the page
python docs_src/field_table.py --check    # fails where the page is out of date
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from toolmint.gateway.api.chat import CHAT_FIELDS
from toolmint.gateway.api.fields import EFFECTS, RequestField
from toolmint.gateway.api.responses import RESPONSE_FIELDS

PAGE = Path(__file__).parents[1] / "docs" / "fields.md"
HEAD = """# Fields of requests

A tool answers a request only where every field of it is in these tables and has a value that is
understood. A request with any other field, or with another value, goes to the model's endpoint as
it came (`x-toolmint-cache: bypass`, with the reason in `x-toolmint-why`); nothing is learned from
it, and no tool is compared with its answer. Nothing is validated: what is wrong with a request,
the endpoint says. The gateway itself refuses only what is no JSON object or names no model. null
is understood in every field but the `store` of responses, and says the same as no field. This page
is written by `python docs_src/field_table.py`.

"""
MESSAGES = """
## Messages, items and parts

| in | understood | anything else |
|---|---|---|
| `messages` | instructions (`system`, `developer`), then one message by `user` | the model |
| `input` | a text, or the same as items without `type` or with `message` | the model |
| a message | `role` and `content` alone | the model |
| `content` | a text, or one part that is a text | the model |
| a part | `type` (`text`, in responses `input_text`) and `text` alone | the model |

So a conversation, an answer that is to be continued (a last message by `assistant`), instructions
behind the user's text, results of tools, items such as `function_call`, `function_call_output`,
`reasoning` and `item_reference`, images, and several text parts (endpoints differ in what they put
between them) go to the model. Role, place and text of instructions are part of the scope.

## Responses that are stored

`store` is true where a request for a response leaves it out, and a client may go on from such a
response by `previous_response_id` or by an `item_reference`. Only the endpoint that stored it can
do that, whichever gateway is asked. So tools answer responses where `store` is false; a client goes
on from those by sending their items. Where no client goes on from a response, set
`fields = { store = "served" }`, and tools answer the others too.

## Settings

`fields` in `toolmint.toml` says what becomes of a field, also of one that is in no table; a dot
names a field of an object:

```toml
[fields]
temperature = "scope"       # tools answer only where the value is the same
user = "model"              # a request that has it goes to the model
x_trace_id = "served"       # a tool's answer is the same whatever it says
"provider.order" = "scope"
```

In a variable: `TOOLMINT_FIELDS="temperature=scope user=model"`. What the gateway itself reads
(`model`, `messages`, `input`, `instructions`, `stream`) cannot be set. `served` takes a field's
meaning away, such as a limit's: set it only for what changes no answer.
"""


def rows(table: Mapping[str, RequestField]) -> Iterator[str]:
    """Yield a table's fields, those of one effect together."""
    yield "| field | values that are understood | kind |\n|---|---|---|\n"
    for effect in EFFECTS:
        for name, field in table.items():
            if field.effect == effect:
                yield f"| `{name}` | {field.values} | {effect} |\n"


def page() -> str:
    """Return the whole page."""
    chat, responses = "".join(rows(CHAT_FIELDS)), "".join(rows(RESPONSE_FIELDS))
    kinds = "".join(f"| {effect} | {said} |\n" for effect, said in EFFECTS.items())
    kinds = f"| kind of field | what becomes of it |\n|---|---|\n{kinds}\n"
    return f"{HEAD}{kinds}## Chat completions\n\n{chat}\n## Responses\n\n{responses}{MESSAGES}"


def main() -> None:
    """Write the page, or compare it."""
    options = argparse.ArgumentParser(description="Write the page of fields.")
    options.add_argument("--check", action="store_true", help="compare, and write nothing")
    if not options.parse_args().check:
        PAGE.write_text(page())
    elif PAGE.read_text() != page():
        sys.exit(f"{PAGE.name} is out of date: run python docs_src/field_table.py")


if __name__ == "__main__":
    main()
