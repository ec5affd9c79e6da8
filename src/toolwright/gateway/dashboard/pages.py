"""The dashboard's pages: bill, classes, a tool, requests, makings; and the three changes that people make."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from toolwright.cache.bound import needed, upper
from toolwright.core.errors import InputError, ToolwrightError
from toolwright.core.store import Standing, ToolStore, TrajectoryLog
from toolwright.core.task import Step
from toolwright.core.tool import State
from toolwright.core.traffic import LiveStore, TrafficLog
from toolwright.gateway.asgi import local
from toolwright.gateway.dashboard.bill import bill_of
from toolwright.gateway.dashboard.door import COOKIE, SECONDS, Door, from_here
from toolwright.gateway.dashboard.plots import Bar, bars
from toolwright.gateway.desks import Desks
from toolwright.gateway.keys import OPEN, KeyRing
from toolwright.gateway.refusal import Refusal

HERE = Path(__file__).parent
DAYS = 30
HEAD = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cache-control": "no-store",
}  # fmt: skip
MOVES: dict[str, State] = {"rollback": "serving", "demote": "demoted", "retire": "retired"}
Page = Callable[[Request], Awaitable[Response]]


def _dollars(amount: float | None) -> str:
    return "?" if amount is None else f"${amount:,.4f}"


def _quoted(text: str) -> str:
    return quote(text, safe="")


class Pages:
    """Renders pages for whoever has an admin key.

    Args:
        rooms: the whole store.
        live: standings and disagreements.
        log: requests.
        traces: agents' trajectories.
        keys: who may look.
        desks: told of changes; knows the rules.
    """

    def __init__(
        self,
        rooms: ToolStore,
        live: LiveStore,
        log: TrafficLog,
        *,
        traces: TrajectoryLog,
        keys: KeyRing,
        desks: Desks,
    ) -> None:
        self._rooms, self._live, self._log, self._traces = rooms, live, log, traces
        self._keys, self._desks, self._door = keys, desks, Door()
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), undefined=StrictUndefined,
            autoescape=select_autoescape(["html"]),
        )  # fmt: skip
        self._templates.filters["dollars"] = _dollars
        self._templates.filters["quoted"] = _quoted

    def app(self) -> Starlette:
        """Give the application."""
        shown: dict[str, Page] = {
            "/dashboard": self.bill, "/dashboard/classes": self.classes,
            "/dashboard/tools/{name:path}": self.tool, "/dashboard/requests": self.requests,
            "/dashboard/requests/{number}": self.request, "/dashboard/makings": self.makings,
            "/dashboard/makings/{number:int}": self.making,
            "/dashboard/trajectories": self.trajectories,
            "/dashboard/trajectories/{number:int}": self.trajectory,
        }  # fmt: skip
        routes = [Route(path, self._guarded(page)) for path, page in shown.items()]
        return Starlette(
            routes=[
                Route("/dashboard/style.css", self.style),
                Route("/dashboard/icon.svg", self.icon),
                Route("/dashboard/login", self.login, methods=["GET", "POST"]),
                Route("/dashboard/change", self._guarded(self.change), methods=["POST"]),
                *routes,
            ]
        )

    def _guarded(self, page: Page) -> Page:
        async def guarded(request: Request) -> Response:
            if not self._keys.known:
                if not local(request.headers.get("host", "").encode()):
                    return PlainTextResponse("This dashboard is open on this machine alone.", 403)
            elif not self._allowed(self._door.holder(request.cookies.get(COOKIE))):
                return RedirectResponse("/dashboard/login", 303)
            if request.method == "POST" and not from_here(request):
                return PlainTextResponse("Another site may not change anything here.", 403)
            try:
                return await page(request)
            except ToolwrightError as fault:
                return self._page("fault.html", 400, said=str(fault))

        return guarded

    def _allowed(self, holder: str | None) -> bool:
        return any(key.id == holder and key.admin and not key.revoked for key in self._keys.known)

    def _page(self, template: str, status: int = 200, /, **facts: Any) -> Response:  # noqa: ANN401
        text = self._templates.get_template(template).render(**facts)
        return HTMLResponse(text, status, headers=HEAD)

    async def style(self, request: Request) -> Response:
        """Give the style sheet."""
        del request
        return Response((HERE / "style.css").read_text(encoding="utf-8"), media_type="text/css")

    async def icon(self, request: Request) -> Response:
        """Give the icon."""
        del request
        return Response((HERE / "icon.svg").read_text("utf-8"), media_type="image/svg+xml")

    async def login(self, request: Request) -> Response:
        """Take an admin key, and give a cookie for some hours."""
        if request.method == "GET":
            return self._page("login.html", said="")
        secret = (await _form(request)).get("key", "")
        try:
            key = self._keys.of(f"Bearer {secret}".encode("latin-1", "replace"))
        except Refusal as refusal:
            return self._page("login.html", 401, said=refusal.message)
        if not key.admin and key is not OPEN:
            return self._page("login.html", 403, said="This key has no admin rights.")
        answer = RedirectResponse("/dashboard", 303)
        answer.set_cookie(
            COOKIE, self._door.ticket(key.id), max_age=SECONDS, httponly=True, samesite="strict",
            secure=request.url.scheme == "https", path="/dashboard",
        )  # fmt: skip
        return answer

    async def bill(self, request: Request) -> Response:
        """Show what was spent and saved, by day and by class."""
        del request
        since = (datetime.now(UTC) - timedelta(days=DAYS)).date().isoformat()
        found = bill_of(await self._log.days(since), await self._log.makings())
        plot = bars(
            [Bar(day.day[5:], day.spent, day.saved) for day in found.days],
            "Spent and saved by day", ("spent", "saved"),
        )  # fmt: skip
        return self._page("bill.html", bill=found, plot=plot, days=DAYS)

    async def classes(self, request: Request) -> Response:
        """Show every version with its state and what live traffic has shown."""
        del request
        bound = self._desks.rules.bound
        rows: list[dict[str, Any]] = []
        for record, state in await self._rooms.versions():
            standing = await self._live.standing(record.request_class, record.version)
            rows.append(
                {
                    "record": record,
                    "state": state,
                    "standing": standing,
                    "limit": self._limit(standing),
                }
            )
        waiting = {name: len(them) for name, them in (await self._rooms.queued()).items()}
        return self._page(
            "classes.html", rows=rows, bound=bound, needed=needed(bound), waiting=waiting
        )

    def _limit(self, standing: Standing) -> float:
        return upper(standing.trials, standing.wrong, self._desks.rules.bound.confidence)

    async def tool(self, request: Request) -> Response:
        """Show one class: its versions, sources, evidence, disagreements."""
        name = request.path_params["name"]
        versions = await self._rooms.versions(name)
        if not versions:
            return self._page("fault.html", 404, said=f"There is no class {name!r}.")
        shown: list[dict[str, Any]] = []
        for record, state in reversed(versions):
            standing = await self._live.standing(name, record.version)
            shown.append({
                "record": record, "state": state, "standing": standing, "limit": self._limit(standing),
                "history": await self._rooms.history(name, record.version),
            })  # fmt: skip
        wrong = await self._live.disagreements(name)
        return self._page(
            "tool.html", name=name, versions=shown, wrong=wrong[:50], bound=self._desks.rules.bound
        )

    async def requests(self, request: Request) -> Response:
        """Show the newest requests, of all classes or of one."""
        name = request.query_params.get("class") or None
        found = await self._log.requests(request_class=name, most=100)
        return self._page("requests.html", found=found, name=name)

    async def request(self, request: Request) -> Response:
        """Show one request, and why it was answered as it was."""
        found = await self._log.request(request.path_params["number"])
        if found is None:
            return self._page("fault.html", 404, said="There is no such request.")
        return self._page("request.html", one=found)

    async def makings(self, request: Request) -> Response:
        """Show every making."""
        del request
        return self._page("makings.html", found=list(reversed(await self._rooms.reports())))

    async def making(self, request: Request) -> Response:
        """Show all that happened in one making."""
        for report in await self._rooms.reports():
            if report.id == request.path_params["number"]:
                return self._page("making.html", report=report, steps=report.body.get("steps", []))
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

    async def change(self, request: Request) -> Response:
        """Approve, roll back, demote or retire a version."""
        form = await _form(request)
        name, what = form.get("name", ""), form.get("what", "")
        if not form.get("version", "").isdigit():
            raise InputError("a version is a number")
        version = int(form["version"])
        if what == "approve":
            await self._approve(name, version)
        elif what in MOVES:
            await self._rooms.move(name, version, MOVES[what], f"{what} by a person")
        else:
            raise InputError(f"nothing is called {what!r}; expected approve, {', '.join(MOVES)}")
        await self._desks.forget()
        return RedirectResponse(f"/dashboard/tools/{quote(name)}", 303)

    async def _approve(self, name: str, version: int) -> None:
        def approve(standing: Standing, state: State) -> tuple[Standing, State | None, str]:
            given = standing.model_copy(update={"approved": True, "ready": False})
            if standing.ready and state == "shadowing":
                return given, "serving", "proved, and approved by a person"
            return given, None, ""

        await self._live.weigh(name, version, approve)


async def _form(request: Request) -> dict[str, str]:
    body = (await request.body()).decode("utf-8", "replace")
    return {name: values[-1] for name, values in parse_qs(body).items()}
