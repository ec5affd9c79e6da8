"""The dependencies that ``assembly`` passes to the gateway."""

from typing import NamedTuple

from toolmint.core.store import ToolStore, TrajectoryLog
from toolmint.core.traffic import LiveStore, TrafficLog
from toolmint.gateway.api.completions import Completions
from toolmint.gateway.api.endpoints import KINDS
from toolmint.gateway.api.feedback import Feedback
from toolmint.gateway.auth.keys import KeyRing
from toolmint.gateway.call import EndpointKind
from toolmint.gateway.mcp_tools import McpCatalog
from toolmint.gateway.observability.metrics import Metrics
from toolmint.gateway.recording.request_log import RequestLog
from toolmint.gateway.upstream.endpoint import Upstream
from toolmint.serving.background_maker import BackgroundMaker
from toolmint.serving.servers import ToolServers


class Parts(NamedTuple):
    """The parts of a gateway; ``store`` is the whole store, ``kinds`` are the endpoints that it serves."""

    store: ToolStore
    live: LiveStore
    log: TrafficLog
    traces: TrajectoryLog
    upstream: Upstream
    servers: ToolServers
    request_log: RequestLog
    keys: KeyRing
    metrics: Metrics
    completions: Completions
    feedback: Feedback
    maker: BackgroundMaker
    catalogue: McpCatalog
    kinds: tuple[EndpointKind, ...] = KINDS
