"""``toolmint keys``: make, list and revoke the gateway's keys, and grant classes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from uuid import uuid4

import click

from toolmint.cli.common import console, say, settings_of, store_option
from toolmint.core.errors import InputError
from toolmint.core.sync import run_sync
from toolmint.core.traffic import Key


@click.group("keys")
def keys_command() -> None:
    """Make, list and revoke the gateway's keys, and grant classes to other tenants."""


def _dollars(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation as fault:
        raise InputError(f"--budget must be a number of US dollars, got {text!r}") from fault


@keys_command.command("create")
@click.argument("tenant")
@click.option("--name", default="", help="What people call it.")
@click.option("--record", is_flag=True, help="Its requests may be kept, and tools made of them.")
@click.option("--admin", is_flag=True, help="It may see and change everything.")
@click.option("--models", default="", help="Models it may ask for, with commas between [all].")
@click.option("--budget", help="US dollars it may spend in a window, over all gateways.")
@click.option("--window", type=click.IntRange(1), help="Days of the budget's window [for good].")
@click.option("--rpm", type=click.IntRange(1), help="Requests a minute, over all gateways.")
@click.option("--tpm", type=click.IntRange(1), help="Tokens a minute, over all gateways.")
@click.option("--days", type=click.IntRange(1), help="Days until it expires.")
@store_option
def create_key_command(
    *, tenant: str, store: object, models: str, budget: str | None, days: int | None, **more: object
) -> None:
    """Make a key for TENANT; its secret is shown once and kept nowhere."""
    from toolmint.assembly.keys import create_key

    expires = datetime.now(UTC) + timedelta(days=days) if days else None
    names = tuple(one.strip() for one in models.split(",") if one.strip())
    fields = more | {"budget": _dollars(budget), "models": names, "expires": expires}
    key = Key.model_validate({"id": f"key_{uuid4().hex[:12]}", "tenant": tenant} | fields)
    secret = run_sync(create_key(settings_of(store=store), key))
    say(f"{key.id} of {tenant}: {secret}")
    say("Keep it now: only its digest is stored.")


@keys_command.command("list")
@store_option
def list_all(*, store: object) -> None:
    """List keys, without their secrets."""
    from rich.table import Table

    from toolmint.assembly.keys import all_keys

    table = Table("key", "tenant", "name", "rights", "budget", "expires", "revoked")
    for key in run_sync(all_keys(settings_of(store=store))):
        rights = ", ".join(
            word for word, has in (("admin", key.admin), ("record", key.record)) if has
        )
        budget = (
            "-"
            if key.budget is None
            else f"${key.budget}" + (f" in {key.window} d" if key.window else "")
        )
        until = key.expires.date().isoformat() if key.expires else "-"
        table.add_row(
            key.id, key.tenant, key.name, rights, budget, until, "yes" if key.revoked else ""
        )
    console().print(table)


@keys_command.command("revoke")
@click.argument("key")
@store_option
def revoke_command(*, key: str, store: object) -> None:
    """Revoke KEY; running gateways follow within two seconds."""
    from toolmint.assembly.keys import revoke_key

    run_sync(revoke_key(settings_of(store=store), key))
    say(f"{key} is revoked")


@keys_command.command("grant")
@click.argument("full", metavar="CLASS")
@click.argument("tenant")
@click.option("--withdraw", is_flag=True, help="Take the grant back.")
@store_option
def grant_command(*, full: str, tenant: str, withdraw: bool, store: object) -> None:
    """Let TENANT use a CLASS of another tenant: its title, or such as acme/0123456789ab/sorting."""
    from toolmint.assembly.keys import grant_class

    run_sync(grant_class(settings_of(store=store), full, tenant, withdraw=withdraw))
    say(f"{tenant} may {'no longer ' if withdraw else ''}use {full}")
