"""The dashboard's pages: bill, classes, a tool, requests, makings; and the three changes that people make."""

from functools import partial
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from toolmint.core.errors import HttpError, ToolmintError
from toolmint.core.namespace import ClassKey
from toolmint.core.store import Tally, ToolStore, TrajectoryLog
from toolmint.core.task import Step
from toolmint.core.traffic import LiveStore, TrafficLog
from toolmint.gateway.asgi import is_loopback_host
from toolmint.gateway.auth.keys import OPEN_KEY, KeyRing
from toolmint.gateway.dashboard.assets import HERE, PAGE_HEADERS, PageHandler, asset
from toolmint.gateway.dashboard.changes import change_version, form_of
from toolmint.gateway.dashboard.learned import learned_facts
from toolmint.gateway.dashboard.naming import dollar_text, fault_text, first_day, naming
from toolmint.gateway.dashboard.plots import Bar, bars
from toolmint.gateway.dashboard.session import (
    SESSION_COOKIE,
    SESSION_SECONDS,
    DashboardSession,
    from_here,
)
from toolmint.serving.answer_kinds import judgements
from toolmint.serving.billing import NO_CLASS, read_bill
from toolmint.serving.error_bound import comparisons_needed, upper
from toolmint.serving.servers import ToolServers
from toolmint.serving.titles import class_title, trimmed, with_titles

DAYS = 30


class Pages:
    """Renders pages for whoever has an admin key.

    Args:
        store: the whole store.
        live: tallies and disagreements.
        log: requests.
        traces: agents' trajectories.
        keys: who may look.
        servers: the tool servers, read anew after a change.
    """

    def __init__(
        self,
        store: ToolStore,
        live: LiveStore,
        log: TrafficLog,
        *,
        traces: TrajectoryLog,
        keys: KeyRing,
        servers: ToolServers,
    ) -> None:
        self._store, self._live, self._log, self._traces = store, live, log, traces
        self._keys, self._servers, self._session = keys, servers, DashboardSession()
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            undefined=StrictUndefined,
            autoescape=select_autoescape(["html"]),
        )
        self._templates.filters["dollars"] = dollar_text
        self._templates.filters["quoted"] = partial(quote, safe="")
        self._templates.filters["trimmed"] = trimmed

    def app(self) -> Starlette:
        """Return the application."""
        shown: dict[str, PageHandler] = {
            "/dashboard": self.bill,
            "/dashboard/classes": self.classes,
            "/dashboard/tools/{name:path}": self.tool,
            "/dashboard/requests": self.requests,
            "/dashboard/requests/{number}": self.request,
            "/dashboard/makings": self.makings,
            "/dashboard/makings/{number:int}": self.making,
            "/dashboard/trajectories": self.trajectories,
            "/dashboard/trajectories/{number:int}": self.trajectory,
        }
        routes = [Route(path, self._guarded(page)) for path, page in shown.items()]
        return Starlette(
            routes=[
                Route("/dashboard/style.css", asset("style.css", "text/css")),
                Route("/dashboard/icon.svg", asset("icon.svg", "image/svg+xml")),
                Route("/dashboard/login", self.login, methods=["GET", "POST"]),
                Route("/dashboard/change", self._guarded(self.change), methods=["POST"]),
                *routes,
            ],
            exception_handlers={404: self._missing},
        )

    async def _missing(self, request: Request, fault: Exception) -> Response:
        del fault
        return self._page("fault.html", 404, said=f"There is no page {request.url.path!r}.")

    async def change(self, request: Request) -> Response:
        """Approve, roll back, demote or retire a version."""
        name = await change_version(await form_of(request), self._store, self._live)
        await self._servers.reload()
        return RedirectResponse(f"/dashboard/tools/{quote(name)}", 303)

    def _guarded(self, page: PageHandler) -> PageHandler:
        async def guarded(request: Request) -> Response:
            if not self._keys.known:
                if not is_loopback_host(request.headers.get("host", "").encode()):
                    return PlainTextResponse("This dashboard is open on this machine alone.", 403)
            elif not self._allowed(self._session.holder(request.cookies.get(SESSION_COOKIE))):
                return RedirectResponse("/dashboard/login", 303)
            if request.method == "POST" and not from_here(request):
                return PlainTextResponse("Another site may not change anything here.", 403)
            try:
                return await page(request)
            except ToolmintError as fault:
                return self._page("fault.html", 400, said=await fault_text(fault, self._store))

        return guarded

    def _allowed(self, holder: str | None) -> bool:
        return any(key.id == holder and key.admin and not key.revoked for key in self._keys.known)

    def _page(self, template: str, status: int = 200, /, **facts: Any) -> Response:  # noqa: ANN401
        text = self._templates.get_template(template).render(status=status, **facts)
        return HTMLResponse(text, status, headers=PAGE_HEADERS)

    async def login(self, request: Request) -> Response:
        """Take an admin key, and give a cookie for some hours."""
        if request.method == "GET":
            return self._page("login.html", said="")
        secret = (await form_of(request)).get("key", "")
        try:
            key = self._keys.of(f"Bearer {secret}".encode("latin-1", "replace"))
        except HttpError as error:
            return self._page("login.html", 401, said=error.message)
        if not key.admin and key is not OPEN_KEY:
            return self._page("login.html", 403, said="This key has no admin rights.")
        answer = RedirectResponse("/dashboard", 303)
        answer.set_cookie(
            SESSION_COOKIE,
            self._session.ticket(key.id),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
            path="/dashboard",
        )
        return answer

    async def bill(self, request: Request) -> Response:
        """Show what was spent and saved, by day and by class."""
        del request
        found = await read_bill(self._store, self._log, first_day(DAYS))
        plot = bars(
            [
                Bar(day.day[5:], day.spent, day.saved, (day.unknown, day.unsaved))
                for day in found.days
            ],
            "Spent and saved by day",
            ("spent", "saved"),
        )
        return self._page("bill.html", bill=found, plot=plot, days=DAYS, no_class=NO_CLASS)

    async def classes(self, request: Request) -> Response:
        """Show every version with its state and what live traffic has shown."""
        del request
        bound, known = self._servers.policy.bound, await self._store.classes()
        tallies = await self._live.tallies()
        rows: list[dict[str, Any]] = []
        for record, state in await self._store.versions():
            name = record.request_class
            tally = tallies.get(ClassKey.parse(name), {}).get(record.version, Tally())
            rows.append(
                {
                    "record": record,
                    "state": state,
                    "tally": tally,
                    "limit": self._limit(tally),
                    **naming(known, name),
                }
            )
        said = judgements(await self._store.reports())
        waiting = [
            {"count": count, "name": name, "judgement": said.get(name), **naming(known, name)}
            for name, count in (await self._store.waiting()).items()
        ]
        needed = comparisons_needed(bound)
        return self._page("classes.html", rows=rows, bound=bound, needed=needed, waiting=waiting)

    def _limit(self, tally: Tally) -> float:
        return upper(tally.trials, tally.wrong, self._servers.policy.bound.confidence)

    async def tool(self, request: Request) -> Response:
        """Show one class: its versions, sources, evidence, disagreements."""
        name = request.path_params["name"]
        versions, key = await self._store.versions(name), ClassKey.parse(name)
        known = await self._store.classes()
        if not versions and name not in known:
            return self._page("fault.html", 404, said=f"There is no class {name!r}.")
        shown: list[dict[str, Any]] = []
        reports = await self._live.report_counts(key)
        for record, state in reversed(versions):
            tally = await self._live.tally(key, record.version)
            shown.append(
                {
                    "record": record,
                    "state": state,
                    "tally": tally,
                    "limit": self._limit(tally),
                    "history": await self._store.history(name, record.version),
                    "reports": reports.get(record.version),
                }
            )
        wrong = await self._live.disagreements(key)
        return self._page(
            "tool.html",
            learned=await learned_facts(
                versions, key, wrong, lambda: self._log.days(first_day(DAYS)), self._servers.models
            ),
            judgement=judgements(await self._store.reports(name)).get(name),
            name=name,
            key=key,
            versions=shown,
            wrong=wrong[:50],
            bound=self._servers.policy.bound,
            titled=partial(with_titles, known=known, key=name),
            **naming(known, name),
        )

    async def requests(self, request: Request) -> Response:
        """Show the newest requests, of all classes or of one."""
        name = request.query_params.get("class") or None
        found = await self._log.requests(request_class=name, most=100)
        known = await self._store.classes()
        choices = sorted((class_title(known, key), key) for key in known)
        return self._page(
            "requests.html",
            found=[(one, class_title(known, one.request_class)) for one in found],
            name=name,
            title=class_title(known, name),
            choices=choices,
        )

    async def request(self, request: Request) -> Response:
        """Show one request, and why it was answered as it was."""
        found = await self._log.request(request.path_params["number"])
        if found is None:
            return self._page("fault.html", 404, said="There is no such request.")
        known, key = await self._store.classes(), found.request_class
        return self._page(
            "request.html",
            one=found,
            title=class_title(known, key),
            why=with_titles(found.why, known, key),
            attempts=[with_titles(said, known, key) for said in found.attempts],
        )

    async def makings(self, request: Request) -> Response:
        """Show every making."""
        del request
        known = await self._store.classes()
        reports = reversed(await self._store.reports())
        found = [(one, class_title(known, one.request_class)) for one in reports]
        return self._page("makings.html", found=found, titled=partial(with_titles, known=known))

    async def making(self, request: Request) -> Response:
        """Show all that happened in one making."""
        for report in await self._store.reports():
            if report.id == request.path_params["number"]:
                known, key = await self._store.classes(), report.request_class
                return self._page(
                    "making.html",
                    report=report,
                    steps=report.body.get("steps", []),
                    titled=partial(with_titles, known=known, key=key),
                    **naming(known, key),
                )
        return self._page("fault.html", 404, said="There is no such making.")

    async def trajectories(self, request: Request) -> Response:
        """Show the newest runs of agents."""
        del request
        return self._page("trajectories.html", found=await self._traces.traces(100))

    async def trajectory(self, request: Request) -> Response:
        """Show one run as the tree that it is."""
        number = request.path_params["number"]
        run = await self._traces.trace(number)
        children: dict[int | None, list[Step]] = {}
        for step in run.steps:
            children.setdefault(step.parent, []).append(step)
        path = {step.id for step in run.path()}
        return self._page("trajectory.html", number=number, run=run, children=children, path=path)
