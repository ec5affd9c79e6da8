"""``toolmint feedback``: tell a running gateway that an answer was right or wrong."""

import json
import urllib.error
import urllib.request
from typing import Any

import click

from toolmint.assembly.settings import secret
from toolmint.cli.common import say
from toolmint.core.errors import ConfigError, InputError, ModelUnavailable

BASE_URL = "http://127.0.0.1:8080/v1"
_SECONDS = 30.0


@click.command("feedback")
@click.argument("request_id")
@click.option("--right/--wrong", default=None, help="What the answer was.")
@click.option("--answer", help="The right answer, where it was wrong.")
@click.option("--base-url", help=f"The gateway [OPENAI_BASE_URL, else {BASE_URL}].")
def feedback_command(
    *, request_id: str, right: bool | None, answer: str | None, base_url: str | None
) -> None:
    """Return whether the answer to REQUEST_ID (header x-request-id) was right; it counts at once.

    The key is OPENAI_API_KEY, as clients of the gateway have it.
    """
    if right is None:
        raise InputError("say --right or --wrong")
    base = base_url or secret("OPENAI_BASE_URL") or BASE_URL
    found = _notify(base.rstrip("/"), {"request_id": request_id, "right": right, "answer": answer})
    if not found["counted"]:
        say(f"not counted: {found['why']}")
        return
    say(f"{found['class']} v{found['version']} is {found['state']}: {found['why']}")


def _notify(base: str, body: dict[str, Any]) -> dict[str, Any]:
    """Send feedback; returns what it led to.

    Raises:
        ConfigError: the URL is none, or the key is wrong.
        InputError: the gateway knows no such request.
        ModelUnavailable: it cannot be reached.
    """
    headers = {"content-type": "application/json"}
    if key := secret("OPENAI_API_KEY"):
        headers["authorization"] = f"Bearer {key}"
    if not base.startswith(("http://", "https://")):
        raise ConfigError(f"the gateway's base URL must begin with http, got {base!r}")
    parsed = urllib.request.Request(f"{base}/feedback", json.dumps(body).encode(), headers)  # noqa: S310
    try:
        with urllib.request.urlopen(parsed, timeout=_SECONDS) as reply:  # noqa: S310 - http alone, as checked
            return json.load(reply)
    except urllib.error.HTTPError as fault:
        said = _said(fault.read()) or fault.reason
        raise (ConfigError if fault.code == 401 else InputError)(f"{base} says: {said}") from fault
    except (urllib.error.URLError, TimeoutError) as fault:
        reason = getattr(fault, "reason", fault)
        raise ModelUnavailable(f"no gateway can be reached at {base}: {reason}") from fault


def _said(raw: bytes) -> str:
    try:
        return str(json.loads(raw)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return ""
