"""Rates of keys by the minute, which all gateways of a store share from now on."""

from sqlalchemy import Connection

from toolmint.store.schema import METADATA, RATES_TABLE


def rates_of_keys(connection: Connection) -> None:
    """Add the table; every bucket begins full."""
    METADATA.create_all(connection, tables=[RATES_TABLE])
