"""Tapes: replies recorded once and given again, so that a run needs no key and no network.

A tape is JSON lines: a header ``{"tape": 1, "model": ..., "note": ...}``, then one line a reply,
``{"key": ..., "response": {...}}``. The key is the digest of the whole request; a prompt that
comes twice has two lines, given in order.
"""

import json
from collections import defaultdict, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from toolwright.core.errors import ConfigError, ModelError
from toolwright.core.model import Model, ModelRequest, ModelResponse
from toolwright.core.values import digest
from toolwright.models.scripted import ScriptedModel
from toolwright.models.wrap import Around


def key_of(request: ModelRequest) -> str:
    """Give the key under which a reply to this request is kept."""
    return digest(request.model_dump(mode="json", exclude_defaults=True))


class Replay:
    """Answers from a tape alone; a request that is not on it is an error that says so."""

    def __init__(
        self, name: str, lines: Iterable[tuple[str, ModelResponse]], *, note: str = ""
    ) -> None:
        self.name, self.note = name, note
        self._replies: dict[str, deque[ModelResponse]] = defaultdict(deque)
        for key, response in lines:
            self._replies[key].append(response)

    @classmethod
    def load(cls, path: Path) -> "Replay":
        """Read a tape.

        Raises:
            ConfigError: the file is missing or no tape; the line is named.
        """
        number = 1
        try:
            with path.open(encoding="utf-8") as file:
                header: dict[str, Any] = json.loads(file.readline())
                if header.get("tape") != 1:
                    raise ConfigError(f"{path} is no tape of version 1", code="tape")
                lines: list[tuple[str, ModelResponse]] = []
                for text in file:
                    number += 1
                    line: dict[str, Any] = json.loads(text)
                    lines.append((line["key"], ModelResponse.model_validate(line["response"])))
        except OSError as fault:
            raise ConfigError(f"tape {str(path)!r} cannot be read: {fault.strerror}") from fault
        except (ValueError, KeyError, TypeError, AttributeError, ValidationError) as fault:
            raise ConfigError(f"{path}:{number}: no line of a tape", code="tape") from fault
        return cls(str(header.get("model", path.stem)), lines, note=str(header.get("note", "")))

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Give the recorded reply; the last one of a key is given again and again.

        Raises:
            ModelError: this request is not on the tape.
        """
        replies = self._replies.get(key_of(request))
        if not replies:
            last = request.messages[-1].content[-160:] if request.messages else ""
            raise ModelError(
                f"the tape {self.name!r} holds no reply to this prompt (…{last!r}); "
                "name a live model instead",
                code="tape-miss",
            )
        return replies.popleft() if len(replies) > 1 else replies[0]


class Recorder(Around):
    """Passes prompts on and writes each reply to a tape, one flushed line at a time."""

    def __init__(self, model: Model, path: Path, *, note: str = "") -> None:
        self._model, self._path = model, path
        if not path.exists():
            header = {"tape": 1, "model": model.name, "note": note}
            path.write_text(json.dumps(header) + "\n", encoding="utf-8")

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer through the model and keep the reply."""
        response = await self._model.complete(request)
        line = {"key": key_of(request), "response": response.model_dump(mode="json")}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return response


def from_transcript(path: Path) -> ScriptedModel:
    """Read a chat (a JSON list of messages) as a model that gives its assistant turns in order.

    A reply that stands twice in a row, as in LATM's published conversations, counts once.

    Raises:
        ConfigError: the file is missing or no list of messages.
    """
    try:
        messages: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
        said = [message["content"] for message in messages if message["role"] == "assistant"]
    except OSError as fault:
        raise ConfigError(f"transcript {str(path)!r} cannot be read: {fault.strerror}") from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise ConfigError(f"{path} is no JSON list of chat messages", code="transcript") from fault
    replies = [text for number, text in enumerate(said) if number == 0 or said[number - 1] != text]
    return ScriptedModel(replies, name=path.stem)
