"""Cassettes: replies recorded once and replayed, so that a run needs no key and no network.

A cassette is JSON lines: a header ``{"cassette": 1, "model": ..., "note": ...}``, then one line a reply,
``{"key": ..., "response": {...}}``. The key is the digest of the whole request; a request that occurs twice
has two lines, replayed in order.
"""

import json
from collections import defaultdict, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from toolmint.core.errors import ConfigError, InputError, ModelError
from toolmint.core.model import Model, ModelRequest, ModelResponse
from toolmint.core.text_files import lines_of, read_text
from toolmint.core.values import digest
from toolmint.models.scripted import ScriptedModel
from toolmint.models.wrap import ModelWrapper

_HEADERS = ("cassette", "tape")  # the second is that of earlier versions


def request_key(request: ModelRequest) -> str:
    """Return the key of a request's reply: the digest of its fields that differ from the defaults.

    What no model is shown of a tool is left out.
    """
    hidden: Any = {"tools": {"__all__": {"read_only"}}}
    return digest(request.model_dump(mode="json", exclude_defaults=True, exclude=hidden))


class CassetteModel:
    """Replays recorded replies; an unrecorded request is an error.

    Args:
        name: of the recorded model.
        lines: pairs of request key and reply.
        note: the header's note.
    """

    def __init__(
        self, name: str, lines: Iterable[tuple[str, ModelResponse]], *, note: str = ""
    ) -> None:
        self.name, self.note = name, note
        self._replies: dict[str, deque[ModelResponse]] = defaultdict(deque)
        for key, response in lines:
            self._replies[key].append(response)

    @classmethod
    def load(cls, path: Path) -> "CassetteModel":
        """Read a cassette.

        Raises:
            ConfigError: the file is missing or no cassette; the message names the line.
        """
        number = 1
        try:
            first, *rest = lines_of(read_text(path))
            header: dict[str, Any] = json.loads(first[1])
            if 1 not in [header.get(name) for name in _HEADERS]:
                raise ConfigError(f"{path} is no cassette of version 1", code="cassette")
            lines: list[tuple[str, ModelResponse]] = []
            for number, text in rest:  # noqa: B007 - the number is for the error
                line: dict[str, Any] = json.loads(text)
                lines.append((line["key"], ModelResponse.model_validate(line["response"])))
        except InputError as fault:
            raise ConfigError(f"cassette {fault}") from fault
        except (ValueError, KeyError, TypeError, AttributeError, ValidationError) as fault:
            raise ConfigError(f"{path}:{number}: no line of a cassette", code="cassette") from fault
        return cls(str(header.get("model", path.stem)), lines, note=str(header.get("note", "")))

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Return the recorded reply; the last one of a key repeats.

        Raises:
            ModelError: the cassette has no reply to this request (code ``cassette-miss``).
        """
        replies = self._replies.get(request_key(request))
        if not replies:
            last = request.messages[-1].content[-160:] if request.messages else ""
            raise ModelError(
                f"the cassette {self.name!r} holds no reply to this prompt (…{last!r}); "
                "name a live model instead",
                code="cassette-miss",
            )
        return replies.popleft() if len(replies) > 1 else replies[0]


class RecordingModel(ModelWrapper):
    """Passes requests on and appends each reply to a cassette file.

    Args:
        model: answers.
        path: the cassette; created with a header where it is missing.
        note: goes into the header.
    """

    def __init__(self, model: Model, path: Path, *, note: str = "") -> None:
        self._model, self._path = model, path
        if not path.exists():
            header = {"cassette": 1, "model": model.name, "note": note}
            path.write_text(json.dumps(header) + "\n", encoding="utf-8")

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Return the model's reply and record it."""
        response = await self._model.complete(request)
        line = {"key": request_key(request), "response": response.model_dump(mode="json")}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return response


def from_transcript(path: Path) -> ScriptedModel:
    """Return a model that replays the assistant turns of a chat transcript, a JSON list of messages.

    Equal consecutive replies, as in LATM's published conversations, count once.

    Raises:
        ConfigError: the file is missing or is no list of messages.
    """
    try:
        messages: list[dict[str, str]] = json.loads(read_text(path))
        turns = [message["content"] for message in messages if message["role"] == "assistant"]
    except InputError as fault:
        raise ConfigError(f"transcript {fault}") from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise ConfigError(f"{path} is no JSON list of chat messages", code="transcript") from fault
    replies = [
        text for number, text in enumerate(turns) if number == 0 or turns[number - 1] != text
    ]
    return ScriptedModel(replies, name=path.stem)
