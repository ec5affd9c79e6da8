"""toolwright: a strong model makes a tool once; the tool is proved, and answers for ever.

The public names stand in ``__all__``; each is loaded when it is first used, so that importing the
package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolwright.assembly.settings import Settings
    from toolwright.assembly.workshop import Models, Workshop
    from toolwright.core.doors import run_sync
    from toolwright.core.errors import ToolwrightError
    from toolwright.core.task import Limits, Task, Trajectory
    from toolwright.core.tool import Demonstration, ToolRecord
    from toolwright.maker.making import Order
    from toolwright.models.replay import Recorder, Replay
    from toolwright.models.scripted import AnsweringModel, ScriptedModel

__version__ = "0.1.0"

_HOMES = {
    "AnsweringModel": "toolwright.models.scripted",
    "Demonstration": "toolwright.core.tool",
    "Limits": "toolwright.core.task",
    "Models": "toolwright.assembly.workshop",
    "Order": "toolwright.maker.making",
    "Recorder": "toolwright.models.replay",
    "Replay": "toolwright.models.replay",
    "ScriptedModel": "toolwright.models.scripted",
    "Settings": "toolwright.assembly.settings",
    "Task": "toolwright.core.task",
    "ToolRecord": "toolwright.core.tool",
    "ToolwrightError": "toolwright.core.errors",
    "Trajectory": "toolwright.core.task",
    "Workshop": "toolwright.assembly.workshop",
    "run_sync": "toolwright.core.doors",
}

__all__ = [
    "AnsweringModel",
    "Demonstration",
    "Limits",
    "Models",
    "Order",
    "Recorder",
    "Replay",
    "ScriptedModel",
    "Settings",
    "Task",
    "ToolRecord",
    "ToolwrightError",
    "Trajectory",
    "Workshop",
    "run_sync",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'toolwright' has no attribute {name!r}")
    return getattr(import_module(home), name)
