"""Toolmint: a strong model makes a tool once; the tool is verified, and answers without the model.

Example:
    >>> import toolmint
    >>> with toolmint.Toolmint("openai:gpt-5") as client:                    # doctest: +SKIP
    ...     client.make("demonstrations.jsonl")
    ...     print(client.solve("Convert 3 miles to km.").answer)

``dir(toolmint)`` shows every public name. Each is loaded when it is first used, so that importing the
package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolmint.agent.agent import AgentLoop
    from toolmint.agent.dfsdt import DFSDT
    from toolmint.agent.policy import SingleModelPolicy, ThreeRolePolicy
    from toolmint.agent.react import ReACT
    from toolmint.assembly.agent import Agent
    from toolmint.assembly.agents import AgentChoices, AgentSession
    from toolmint.assembly.apply import ApplyResult
    from toolmint.assembly.client import Toolmint
    from toolmint.assembly.endpoints import cassette, local, onnx, openai
    from toolmint.assembly.making import ClassMaking
    from toolmint.assembly.session import Models, Session
    from toolmint.assembly.settings import Settings
    from toolmint.core.errors import (
        ClientLeft,
        ConfigError,
        ContextOverflow,
        HttpError,
        InputError,
        LimitExceeded,
        MakerError,
        ModelError,
        ModelUnavailable,
        NoAnswer,
        SandboxError,
        StoreError,
        ToolArgumentsError,
        ToolError,
        ToolmintError,
        ToolNotFound,
        UpstreamError,
        UpstreamTimeout,
    )
    from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
    from toolmint.core.model import Model, ModelRequest, ModelResponse, Usage
    from toolmint.core.sync import run_sync
    from toolmint.core.task import Limits, Solver, Step, Task, Trajectory
    from toolmint.core.tool import Demonstration, Evidence, ToolRecord
    from toolmint.core.toolbox import Tool, Toolbox
    from toolmint.maker.making_run import MakeRequest
    from toolmint.maker.survey import ClassSurvey, FileSurvey
    from toolmint.models.cassette import CassetteModel, RecordingModel
    from toolmint.models.retry_after import RetryAfter
    from toolmint.models.scripted import AnsweringModel, ScriptedModel
    from toolmint.serving.billing import Bill
    from toolmint.tools.function import tool
    from toolmint.tools.toolbox import ToolCollection

__version__ = "0.2.0"

_HOMES = {
    "agent.agent": ("AgentLoop",),
    "agent.dfsdt": ("DFSDT",),
    "agent.policy": ("SingleModelPolicy", "ThreeRolePolicy"),
    "agent.react": ("ReACT",),
    "assembly.agent": ("Agent",),
    "assembly.agents": ("AgentChoices", "AgentSession"),
    "assembly.apply": ("ApplyResult",),
    "assembly.client": ("Toolmint",),
    "assembly.endpoints": ("cassette", "local", "onnx", "openai"),
    "assembly.making": ("ClassMaking",),
    "assembly.session": ("Models", "Session"),
    "assembly.settings": ("Settings",),
    "core.errors": (
        "ClientLeft",
        "ConfigError",
        "ContextOverflow",
        "HttpError",
        "InputError",
        "LimitExceeded",
        "MakerError",
        "ModelError",
        "ModelUnavailable",
        "NoAnswer",
        "SandboxError",
        "StoreError",
        "ToolArgumentsError",
        "ToolError",
        "ToolNotFound",
        "ToolmintError",
        "UpstreamError",
        "UpstreamTimeout",
    ),
    "core.messages": ("ToolCall", "ToolResult", "ToolSpec"),
    "core.model": ("Model", "ModelRequest", "ModelResponse", "Usage"),
    "core.sync": ("run_sync",),
    "core.task": ("Limits", "Solver", "Step", "Task", "Trajectory"),
    "core.tool": ("Demonstration", "Evidence", "ToolRecord"),
    "core.toolbox": ("Tool", "Toolbox"),
    "maker.making_run": ("MakeRequest",),
    "maker.survey": ("ClassSurvey", "FileSurvey"),
    "models.cassette": ("CassetteModel", "RecordingModel"),
    "models.retry_after": ("RetryAfter",),
    "models.scripted": ("AnsweringModel", "ScriptedModel"),
    "serving.billing": ("Bill",),
    "tools.function": ("tool",),
    "tools.toolbox": ("ToolCollection",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "DFSDT",
    "Agent",
    "AgentChoices",
    "AgentLoop",
    "AgentSession",
    "AnsweringModel",
    "ApplyResult",
    "Bill",
    "CassetteModel",
    "ClassMaking",
    "ClassSurvey",
    "ClientLeft",
    "ConfigError",
    "ContextOverflow",
    "Demonstration",
    "Evidence",
    "FileSurvey",
    "HttpError",
    "InputError",
    "LimitExceeded",
    "Limits",
    "MakeRequest",
    "MakerError",
    "Model",
    "ModelError",
    "ModelRequest",
    "ModelResponse",
    "ModelUnavailable",
    "Models",
    "NoAnswer",
    "ReACT",
    "RecordingModel",
    "RetryAfter",
    "SandboxError",
    "ScriptedModel",
    "Session",
    "Settings",
    "SingleModelPolicy",
    "Solver",
    "Step",
    "StoreError",
    "Task",
    "ThreeRolePolicy",
    "Tool",
    "ToolArgumentsError",
    "ToolCall",
    "ToolCollection",
    "ToolError",
    "ToolNotFound",
    "ToolRecord",
    "ToolResult",
    "ToolSpec",
    "Toolbox",
    "Toolmint",
    "ToolmintError",
    "Trajectory",
    "UpstreamError",
    "UpstreamTimeout",
    "Usage",
    "cassette",
    "local",
    "onnx",
    "openai",
    "run_sync",
    "tool",
]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'toolmint' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"toolmint.{home}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
