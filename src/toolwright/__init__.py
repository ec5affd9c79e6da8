"""toolwright: a strong model makes a tool once; the tool is proved, and answers for ever.

The public names stand in ``__all__``; each is loaded when it is first used, so that importing the
package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolwright.agent.agent import Agent
    from toolwright.agent.policy import Single, Team
    from toolwright.agent.search import Dfsdt, React
    from toolwright.assembly.agents import AgentChoices, AgentSession
    from toolwright.assembly.settings import Settings
    from toolwright.assembly.workshop import Models, Workshop
    from toolwright.core.doors import run_sync
    from toolwright.core.errors import ToolwrightError
    from toolwright.core.task import Limits, Task, Trajectory
    from toolwright.core.tool import Demonstration, ToolRecord
    from toolwright.maker.making import Order
    from toolwright.models.replay import Recorder, Replay
    from toolwright.models.scripted import AnsweringModel, ScriptedModel
    from toolwright.tools.box import Box
    from toolwright.tools.function import tool

__version__ = "0.1.0"

_HOMES = {
    "Agent": "toolwright.agent.agent",
    "AgentChoices": "toolwright.assembly.agents",
    "AgentSession": "toolwright.assembly.agents",
    "AnsweringModel": "toolwright.models.scripted",
    "Box": "toolwright.tools.box",
    "Demonstration": "toolwright.core.tool",
    "Dfsdt": "toolwright.agent.search",
    "Limits": "toolwright.core.task",
    "Models": "toolwright.assembly.workshop",
    "Order": "toolwright.maker.making",
    "React": "toolwright.agent.search",
    "Recorder": "toolwright.models.replay",
    "Replay": "toolwright.models.replay",
    "ScriptedModel": "toolwright.models.scripted",
    "Settings": "toolwright.assembly.settings",
    "Single": "toolwright.agent.policy",
    "Task": "toolwright.core.task",
    "Team": "toolwright.agent.policy",
    "ToolRecord": "toolwright.core.tool",
    "ToolwrightError": "toolwright.core.errors",
    "Trajectory": "toolwright.core.task",
    "Workshop": "toolwright.assembly.workshop",
    "run_sync": "toolwright.core.doors",
    "tool": "toolwright.tools.function",
}

__all__ = [
    "Agent",
    "AgentChoices",
    "AgentSession",
    "AnsweringModel",
    "Box",
    "Demonstration",
    "Dfsdt",
    "Limits",
    "Models",
    "Order",
    "React",
    "Recorder",
    "Replay",
    "ScriptedModel",
    "Settings",
    "Single",
    "Task",
    "Team",
    "ToolRecord",
    "ToolwrightError",
    "Trajectory",
    "Workshop",
    "run_sync",
    "tool",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'toolwright' has no attribute {name!r}")
    return getattr(import_module(home), name)
