"""A chat model in a folder, as it was published: messages and tools written by its own chat template.

Models that are trained here read marks instead; this is how one plays before any training (zero-shot).
"""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

from transformers import AutoTokenizer

from toolmint.core.errors import ModelError, boundary
from toolmint.core.messages import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage
from toolmint.core.model import ModelDelta, ModelRequest, ModelResponse
from toolmint.core.values import canonical
from toolmint.models.text_model import DecoderModel

_TOOLS = """You can call these functions:
{tools}
A call is one line of JSON: {{"name": the function's name, "arguments": an object}}."""
ChatText = Callable[[ModelRequest], str]
"""Returns the text of a request, up to the beginning of the reply."""


def has_chat_template(folder: Path) -> bool:
    """Return whether a model's folder has a chat template."""
    if (folder / "chat_template.jinja").is_file():
        return True
    config = folder / "tokenizer_config.json"
    return config.is_file() and '"chat_template"' in config.read_text(encoding="utf-8")


def template_writer(folder: Path) -> ChatText:
    """Return what writes requests by the chat template of a folder.

    Tools are documented in the first system message, as JSON, one a line: few templates have a place for
    tools, and each its own. What is a special token in a message is broken by a space.
    """
    tokenizer: Any = cast("Any", AutoTokenizer).from_pretrained(str(folder))
    special = [str(one) for one in tokenizer.all_special_tokens]

    def plain(text: str) -> str:
        for one in special:
            text = text.replace(one, f"{one[0]} {one[1:]}")
        return text

    def write(request: ModelRequest) -> str:
        shaped = [
            {"role": role, "content": plain(text)} for role, text in _turns(request) if text.strip()
        ]
        return boundary(
            lambda: str(
                tokenizer.apply_chat_template(shaped, tokenize=False, add_generation_prompt=True)
            ),
            lambda fault: ModelError(
                f"the chat template of {str(folder)!r} refuses these messages: "
                f"{str(fault).splitlines()[0]}",
                code="chat-template",
            ),
        )

    return write


def _turns(request: ModelRequest) -> list[tuple[str, str]]:
    """Return role and text of each turn; turns of one role in a row are one."""
    found: list[tuple[str, str]] = []
    if request.tools:
        documents = "\n".join(
            json.dumps(
                {"name": one.name, "description": one.description, "parameters": one.parameters},
                ensure_ascii=False,
            )
            for one in request.tools
        )
        found.append(("system", _TOOLS.format(tools=documents)))
    for message in request.messages:
        role, text = _turn(message)
        if found and found[-1][0] == role:
            found[-1] = (role, f"{found[-1][1]}\n\n{text}".strip())
        else:
            found.append((role, text))
    return found


def _turn(message: Message) -> tuple[str, str]:
    match message:
        case AssistantMessage():
            calls = [
                json.dumps({"name": one.name, "arguments": one.arguments}, ensure_ascii=False)
                for one in message.tool_calls
            ]
            return "assistant", "\n".join([message.content, *calls]).strip()
        case ToolMessage():
            return "user", f"Result of the call: {message.content}"
        case UserMessage():
            return "user", message.content
        case _:
            return "system", message.content


class ChatModel:
    """A decoder that reads chat messages.

    Args:
        model: reads the text.
        text: writes requests as text.
    """

    raw_prompts = False

    def __init__(self, model: DecoderModel, text: ChatText) -> None:
        self.name, self._model, self._text = model.name, model, text

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Return the reply; one that had to be a call has it in ``tool_calls``.

        Raises:
            ContextOverflow: the prompt fills the model's context.
            ModelError: the chat template refuses the messages.
        """
        return _with_call(await self._model.complete(self._written(request)), request)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelDelta]:
        """Yield the reply's text as it is decoded; the last delta holds the whole response."""
        async for delta in self._model.stream(self._written(request)):
            if delta.response is not None:
                response = _with_call(delta.response, request)
                yield delta.model_copy(update={"response": response})
            else:
                yield delta

    def _written(self, request: ModelRequest) -> ModelRequest:
        message = UserMessage(content=self._text(request))
        return request.model_copy(update={"messages": (message,)})


def _with_call(response: ModelResponse, request: ModelRequest) -> ModelResponse:
    """Return the response with the call that its text is, where a call was asked for."""
    if request.tool_choice != "required" or not request.tools:
        return response
    try:
        found: Any = json.loads(response.content)
        call = ToolCall(id="call_0", name=found["name"], arguments=canonical(found["arguments"]))
    except (ValueError, KeyError, TypeError):
        return response
    return response.model_copy(
        update={"content": "", "tool_calls": (call,), "finish_reason": "tool_calls"}
    )
