"""Migration 6: counts without a day become daily totals."""

from sqlalchemy import Connection, Float, Table, case, cast, func, insert, select

from toolmint.core.namespace import ClassKey
from toolmint.core.task import current_word
from toolmint.store.batches import NANO
from toolmint.store.clock import now
from toolmint.store.schema import DAILY_TOTALS_TABLE


def total_counts(connection: Connection, counts: Table, ledger: Table) -> None:
    """Keep what was counted without a day as daily totals of the day of the class's last model call.

    Only the command line counted so, and its model calls are in the ledger under the same name: those of
    purpose ``strong`` are the strong tier's cost, ``use`` and ``dispatch`` the light tier's.
    """
    last: dict[str, str] = {}
    spent: dict[tuple[str, str], list[float]] = {}
    tier = case((ledger.c.purpose == "strong", "strong"), else_="light")
    query = select(
        ledger.c.request_class,
        tier.label("tier"),
        func.max(ledger.c.at).label("last"),
        func.coalesce(func.sum(cast(ledger.c.cost, Float)), 0.0).label("cost"),
        (func.count() - func.count(ledger.c.cost)).label("unknown"),
        func.sum(ledger.c.input_tokens + ledger.c.output_tokens).label("tokens"),
    ).where(
        ledger.c.purpose.in_(["strong", "use", "dispatch"]), ledger.c.request_class.is_not(None)
    )
    for row in connection.execute(query.group_by(ledger.c.request_class, tier)):
        last[row.request_class] = max(row.last, last.get(row.request_class, ""))
        spent[row.request_class, row.tier] = [row.cost, row.unknown, row.tokens]
    answered = func.sum(counts.c.answered).label("answered")
    query = select(counts.c.request_class, counts.c.tier, answered)
    values: list[dict[str, object]] = []
    for row in connection.execute(query.group_by(counts.c.request_class, counts.c.tier)):
        word = str(current_word(row.tier))
        cost, unknown, tokens = spent.get((row.request_class, word), [0.0, 0, 0])
        key = ClassKey.parse(row.request_class)
        if row.answered:
            values.append(
                {
                    "day": last.get(row.request_class, now())[:10],
                    "class_tenant": key.tenant,
                    "scope": key.scope,
                    "request_class": key.name,
                    "tier": word,
                    "requests": int(row.answered),
                    "cost_nano_usd": round(float(cost) * NANO),
                    "saved_nano_usd": 0,
                    "unknown": int(unknown),
                    "tokens": int(tokens),
                    "unsaved": 0 if word == "strong" else int(row.answered),
                }
            )
    if values:
        connection.execute(insert(DAILY_TOTALS_TABLE), values)
