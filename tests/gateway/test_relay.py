"""A stream passes byte for byte wherever it is cut, and what is read of it is what a client would see."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.scripted import DONE, chunk, completion, usage_chunk

from toolmint.gateway.api.responses import response_events
from toolmint.gateway.call import ParsedRequest
from toolmint.gateway.upstream.answer_text import (
    chat_text,
    events_of,
    response_text,
    stream_text,
)
from toolmint.gateway.upstream.reading import json_object, usage_of
from toolmint.gateway.upstream.relay import StreamRelay

RESPONSES_REQUEST = ParsedRequest(
    "gpt-5", True, False, "x", "", "", None, (), False, None, {"model": "gpt-5"}
)


def parts(text: str) -> bytes:
    return b"".join(chunk({"content": letter}) for letter in text)


CHAT = chunk({"role": "assistant", "content": ""}) + parts("déjà") + chunk({}, "stop")
TOLD = CHAT + usage_chunk(7, 5) + DONE
RESPONSE = b"".join(response_events(RESPONSES_REQUEST, "déjà vu", {}))
SPREAD = (
    b'data: {"choices": [{"index": 0,\ndata:  "delta": {"content":\ndata: "d\xc3\xa9j\xc3\xa0"},\n'
    b'data: "finish_reason": "stop"}]}\n\n: wait\n\ndata: {"choices": [],\n'
    b'data: "usage": {"prompt_tokens": 7,\ndata: "completion_tokens": 5}}\n\ndata: [DONE]\n\n'
)
"""Events over several data lines."""
MIXED = (
    b"\xef\xbb\xbf: hello\r\n\r\n" + CHAT.replace(b"\n", b"\r\n") + b"event: x\rid: 1\r\r: c\n\n"
) + (usage_chunk(7, 5).replace(b"\n", b"\r") + b"retry: 3\n\ndata: [DONE]\r\n\r\n")
STREAMS = {
    "plain": TOLD,
    "carriage returns and line feeds": TOLD.replace(b"\n", b"\r\n"),
    "carriage returns": TOLD.replace(b"\n", b"\r"),
    "all of them": MIXED,
    "several data lines": SPREAD,
    "named events": TOLD.replace(b"data:", b"event: chunk\ndata:"),
    "a name behind its data": TOLD.replace(b"\n\n", b"\nevent: chunk\n\n"),
    "without spaces": TOLD.replace(b"data: ", b"data:"),
    "comments": TOLD.replace(b"data:", b": keep-alive\n\n: x\ndata:"),
}


def run(pieces: Iterable[bytes], *, hide: bool, keep: bool = True) -> tuple[bytes, StreamRelay]:
    """Send pieces through; returns what came out."""
    relay, out = StreamRelay(hide_usage=hide, keep=keep), list[bytes]()
    for piece in pieces:
        passed = relay.feed(piece)
        if b"[DONE]" in b"".join([*out, passed]):
            assert relay.ended and relay.usage is not None, "the end is told before it is out"
        out.append(passed)
    return b"".join([*out, relay.end()]), relay


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_passed_and_read_alike_wherever_it_is_cut(name: str) -> None:
    stream = STREAMS[name]
    assert stream_text(stream) == "déjà"
    hidden, _ = run([stream], hide=True)
    assert b"_tokens" not in hidden and hidden.count(b"data") < stream.count(b"data")
    for at in range(1, len(stream)):
        pieces = (stream[:at], stream[at:])
        out, relay = run(pieces, hide=False)
        assert out == stream, at
        assert relay.usage is not None, at
        assert (relay.usage.input_tokens, relay.usage.output_tokens) == (7, 5)
        assert relay.text() == "déjà", at
        out, relay = run(pieces, hide=True)
        # A line end or a comment at the cut may have gone before the event that stays here.
        assert list(events_of(out)) == list(events_of(hidden)), at
        assert relay.text() == "déjà", at
        assert relay.usage is not None


@pytest.mark.parametrize("name", STREAMS)
@given(st.lists(st.integers(1, 400), max_size=40))
def test_many_cuts_change_nothing(name: str, cuts: list[int]) -> None:
    stream = STREAMS[name]
    at, pieces = 0, list[bytes]()
    for size in cuts:
        pieces.append(stream[at : at + size])
        at += size
    pieces.append(stream[at:])
    out, relay = run([piece for piece in pieces if piece], hide=False)
    assert out == stream and relay.text() == "déjà" and relay.ended


def test_a_streamed_response_tells_its_end_at_the_event_that_completes_it() -> None:
    whole = RESPONSE.replace(b'"input_tokens":0', b'"input_tokens":9')
    for at in range(1, len(whole)):
        relay = StreamRelay(hide_usage=False, keep=True)
        out = relay.feed(whole[:at])
        assert relay.ended == (b"response.completed" in out and out.endswith(b"\n\n"))
        out += relay.feed(whole[at:]) + relay.end()
        assert out == whole and relay.ended and relay.text() == "déjà vu"
        assert relay.usage is not None and relay.usage.input_tokens == 9


def test_a_comment_goes_on_at_once_and_does_not_wait_for_an_event() -> None:
    relay = StreamRelay(hide_usage=True, keep=True)
    assert relay.feed(b": keep-alive\n") == b": keep-alive\n"
    assert relay.feed(b"\n") == b"\n"
    assert relay.feed(b"data: {") == b""
    assert relay.feed(b"}\n\n: a\r") == b"data: {}\n\n: a\r"


def test_a_long_event_in_many_pieces_is_put_together_once() -> None:
    event = chunk({"content": "x" * 2_000_000})
    relay = StreamRelay(hide_usage=False, keep=True)
    pieces = [event[at : at + 100] for at in range(0, len(event), 100)]
    out = b"".join(map(relay.feed, [*pieces, chunk({}, "stop")]))
    assert out.startswith(event) and len(relay.text() or "") == 2_000_000


@pytest.mark.parametrize(
    "body", [b'{"choices": [], "usage": 3}', b"<html>no</html>", b'[{"error": 1}]']
)
def test_what_is_no_stream_of_events_goes_on_as_it_comes(body: bytes) -> None:
    relay = StreamRelay(hide_usage=True, keep=True, certain=False)
    assert [relay.feed(body[:1]), relay.feed(body[1:]), relay.end()] == [body[:1], body[1:], b""]
    assert relay.text() is None


def test_the_usage_of_a_whole_answer_to_a_request_for_a_stream_is_read() -> None:
    relay = StreamRelay(hide_usage=True, keep=True, certain=False)
    assert relay.feed(b" ") + relay.feed(json.dumps(completion("x", 4, 5)).encode()) + relay.end()
    assert relay.usage is not None and relay.usage.tokens == 9


MISTRAL: list[Any] = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]
SEEN: dict[str, tuple[list[bytes], str | None]] = {
    "a text": ([chunk({"content": "Hello"}), chunk({}, "stop")], "Hello"),
    "parts (Mistral)": ([chunk({"content": MISTRAL}), chunk({}, "stop")], "Hello"),
    "thoughts in parts": (
        [chunk({"content": [{"type": "thinking", "thinking": []}, *MISTRAL]}, "stop")],
        "Hello",
    ),
    "a part that is no text": (
        [chunk({"content": [*MISTRAL, {"type": "image_url"}]}, "stop")],
        None,
    ),
    "thoughts beside": (
        [chunk({"reasoning_content": "hm"}), chunk({"content": "Hello", "reasoning": "x"}, "stop")],
        "Hello",
    ),
    "thoughts alone": ([chunk({"reasoning_content": "hm"}), chunk({}, "stop")], None),
    "cut by its length": ([chunk({"content": "Hello"}), chunk({}, "length")], None),
    "filtered": ([chunk({"content": "Hello"}, "content_filter")], None),
    "stopped, then not": ([chunk({"content": "a"}, "stop"), chunk({}, "length")], None),
    "no end": ([chunk({"content": "Hello"}), DONE], None),
    "a refusal": ([chunk({"refusal": "I will not"}), chunk({}, "stop")], None),
    "a tool's call": ([chunk({"tool_calls": [{"index": 0}]}), chunk({}, "stop")], None),
    "an older tool's call": ([chunk({"function_call": {"name": "f"}}), chunk({}, "stop")], None),
    "sound": ([chunk({"content": "a", "audio": {"id": "x"}}), chunk({}, "stop")], None),
    "images": ([chunk({"content": "a", "images": [1]}), chunk({}, "stop")], None),
    "nothing beside, in words": (
        [chunk({"content": "a", "refusal": None, "tool_calls": [], "audio": None}, "stop")],
        "a",
    ),
    "a second choice": (
        [
            chunk({"content": "a"}),
            b'data: {"choices": [{"index": 1, "delta": {"content": "b"}}]}\n\n',
            chunk({}, "stop"),
        ],
        None,
    ),
    "two choices in an event": (
        [b'data: {"choices": [{"delta": {"content": "a"}}, {"delta": {}}]}\n\n', chunk({}, "stop")],
        None,
    ),
    "an error": (
        [chunk({"content": "a"}, "stop"), b'data: {"error": {"message": "no"}}\n\n'],
        None,
    ),
    "no error": ([chunk({"content": "a"}, "stop", error=None)], "a"),
    "an event named error": (
        [chunk({"content": "a"}, "stop"), b"event: error\ndata: {}\n\n"],
        None,
    ),
    "what is no JSON": ([chunk({"content": "a"}), b"data: oops\n\n", chunk({}, "stop")], None),
    "what comes behind the end": ([chunk({"content": "a"}, "stop"), DONE, b"data: oops\n\n"], "a"),
    "a ping": ([b"event: ping\ndata: {}\n\n", chunk({"content": "a"}, "stop")], "a"),
    "an event without its end": (
        [chunk({"content": "a"}, "stop"), chunk({"content": "b"})[:-1]],
        None,
    ),
    "an end without its line": ([chunk({"content": "a"}, "stop"), b"data: [DONE]"], "a"),
    "a lone surrogate": (
        [b'data: {"choices": [{"delta": {"content": "\\ud800"}}]}\n\n', chunk({}, "stop")],
        None,
    ),
    "a whole surrogate pair in two events": (
        [
            b'data: {"choices": [{"delta": {"content": "\\ud83d"}}]}\n\n',
            b'data: {"choices": [{"delta": {"content": "\\ude00"}}]}\n\n',
            chunk({}, "stop"),
        ],
        None,
    ),
    "NaN": (
        [b'data: {"x": NaN, "choices": [{"delta": {"content": "a"}}]}\n\n', chunk({}, "stop")],
        "a",
    ),
    "a number for a text": ([chunk({"content": 3}), chunk({}, "stop")], None),
    "lists for objects": ([b'data: {"choices": [[]]}\n\n', chunk({}, "stop")], None),
}


@pytest.mark.parametrize("name", SEEN)
def test_the_label_of_a_stream_is_what_a_client_sees_or_nothing(name: str) -> None:
    events, text = SEEN[name]
    assert stream_text(b"".join(events)) == text


def spoken(*events: dict[str, Any], output: object = None, status: str = "completed") -> bytes:
    """Return a streamed response that ends with an output."""
    end = {"type": f"response.{status}", "response": {"status": status, "output": output}}
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in (*events, end))


def said(text: object) -> dict[str, Any]:
    return {"type": "response.output_text.delta", "delta": text}


def message(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"type": "message", "content": list(parts)} | more


def out_text(text: Any, **more: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": text} | more


@pytest.mark.parametrize(
    ("stream", "text"),
    [
        (spoken(said("Hel"), said("lo")), "Hello"),
        (spoken(said("Hello"), output=[message(out_text("Hello"))]), "Hello"),
        (spoken(said("Hello"), output=[message(out_text("Hullo"))]), None),
        (spoken(said("Hello"), output=[message({"type": "refusal", "refusal": "no"})]), None),
        (spoken(output=[message(out_text("Hello"))]), None),
        (spoken(said("Hello"), status="incomplete"), None),
        (spoken(said("Hello"), status="failed"), None),
        (spoken(said(3)), None),
        (
            spoken(
                said("a"), {"type": "response.output_item.added", "item": {"type": "function_call"}}
            ),
            None,
        ),
        (spoken(said("a"), {"type": "response.output_item.added", "item": []}), None),
        (
            spoken(
                {"type": "response.output_item.added", "item": {"type": "reasoning"}}, said("a")
            ),
            "a",
        ),
        (spoken(said("a"), {"type": "response.refusal.delta", "delta": "no"}), None),
        (spoken(said("a"), {"type": "response.output_text.annotation.added"}), None),
        (spoken(said("a"), {"type": "error", "message": "no"}), None),
    ],
)
def test_the_label_of_a_streamed_response_is_what_a_client_sees(
    stream: bytes, text: str | None
) -> None:
    assert stream_text(stream) == text


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ([message(out_text("a"), out_text("b"))], "ab"),
        ([{"type": "reasoning"}, message(out_text("a"), annotations=[])], "a"),
        ([message(out_text("a")), message(out_text("b"), status="completed")], "ab"),
        ([message(out_text("a"), status="incomplete")], None),
        ([message(out_text("a", annotations=[{"type": "url_citation"}]))], None),
        ([message({"type": "refusal", "refusal": "no"})], None),
        ([{"type": "function_call"}], None),
        ([message(out_text(None))], None),
        ([message("a")], None),
        (["a"], None),
        ("a", None),
        ([], None),
        (None, None),
    ],
)
def test_the_label_of_a_response_is_what_a_client_sees(output: object, text: str | None) -> None:
    assert response_text({"status": "completed", "output": output}) == text
    assert response_text({"status": "incomplete", "output": output}) is None


CHAT_SEEN: list[tuple[dict[str, Any], str | None]] = [
    ({"content": "a"}, "a"),
    ({"content": MISTRAL}, "Hello"),
    ({"content": "a", "refusal": "no"}, None),
    ({"content": "a", "tool_calls": [{}]}, None),
    ({"content": "a", "audio": {"id": 1}}, None),
    ({"content": "a", "annotations": [{"type": "url_citation"}]}, None),
    ({"content": "a", "reasoning_content": "hm", "annotations": []}, "a"),
    ({"content": ""}, None),
    ({"content": None}, None),
    ({"content": {"a": 1}}, None),
    ({"content": "\ud800"}, None),
]


@pytest.mark.parametrize(("changes", "text"), CHAT_SEEN)
def test_the_label_of_a_chat_completion_is_what_a_client_sees(
    changes: dict[str, Any], text: str | None
) -> None:
    whole = completion(None)
    whole["choices"][0]["message"] |= changes
    assert chat_text(whole) == text
    whole["choices"][0]["finish_reason"] = "length"
    assert chat_text(whole) is None


ENVELOPE = ["choices", "message", "delta", "content", "index", "finish_reason", "type", "text"]
ITEMS = ["output", "item", "response", "status", "error", "tool_calls", "refusal", "annotations"]
COUNTS = ["usage", "prompt_tokens", "input_tokens", "output_tokens", "completion_tokens", "model"]
DETAILS = ["prompt_tokens_details", "cached_tokens"]
KEYS = st.sampled_from([*ENVELOPE, *ITEMS, *COUNTS, *DETAILS]) | st.text(max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
WORDS = st.sampled_from(
    [
        "stop",
        "completed",
        "message",
        "output_text",
        "response.completed",
        "response.output_text.delta",
    ]
)
ODD = st.dictionaries(KEYS, JSON | WORDS, max_size=8)


@given(ODD)
def test_no_shape_of_an_answer_raises(value: dict[str, Any]) -> None:
    event = b"data: " + json.dumps(value).encode() + b"\n\n"
    for text in (chat_text(value), response_text(value), stream_text(event + chunk({}, "stop"))):
        assert text is None or text.encode()
    used = usage_of(value.get("usage", value))
    assert used is None or 0 <= used.cached_tokens <= used.input_tokens
    assert run([event, usage_chunk(1, 1), DONE], hide=False)[0].startswith(event)


@given(
    st.lists(
        st.binary(max_size=40)
        | st.sampled_from([b"\n\n", b"data: ", b"[DONE]", b'_tokens"', b"\r"])
    )
)
def test_no_bytes_are_lost_or_raise(pieces: list[bytes]) -> None:
    relay = StreamRelay(hide_usage=False, keep=True)
    out = b"".join(map(relay.feed, pieces)) + relay.end()
    assert out == b"".join(pieces)
    assert relay.text() is None
    other = StreamRelay(hide_usage=False, keep=False, certain=False)
    assert b"".join(map(other.feed, pieces)) + other.end() == out


WIRES: list[tuple[Any, tuple[int, int, int] | None]] = [
    ({"prompt_tokens": 3, "completion_tokens": 4}, (3, 0, 4)),
    (
        {"input_tokens": 3.0, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 2}},
        (3, 2, 4),
    ),
    (
        {
            "prompt_tokens": 3,
            "completion_tokens": 1,
            "prompt_tokens_details": {"cached_tokens": 9},
        },
        (3, 3, 1),
    ),
    ({"prompt_tokens": 3, "prompt_tokens_details": "x", "completion_tokens": 0}, (3, 0, 0)),
    ({"prompt_tokens": 0, "completion_tokens": 0}, (0, 0, 0)),
]
PARTIAL_WIRES: list[Any] = [
    {"prompt_tokens": 3},
    {"prompt_tokens": 3, "total_tokens": 3},
    {"prompt_tokens": 3, "completion_tokens": None},
    {"input_tokens": 3, "output_tokens": None},
]
ODD_WIRES: list[Any] = [
    {"completion_tokens": 3},
    {"prompt_tokens": None, "completion_tokens": 3},
    None,
    "12 tokens",
    [],
    {},
    {"total_tokens": 3},
    {"prompt_tokens": "3"},
    {"prompt_tokens": -3},
    {"prompt_tokens": 3, "completion_tokens": "many"},
    {"prompt_tokens": True},
    {"prompt_tokens": float("nan")},
    {"prompt_tokens": float("inf")},
    {"prompt_tokens": 1e300},
    {"prompt_tokens": 10**40},
    {"prompt_tokens": {"a": 1}},
]


@pytest.mark.parametrize(
    ("wire", "tokens"), [*WIRES, *((odd, None) for odd in (*ODD_WIRES, *PARTIAL_WIRES))]
)
def test_usage_is_read_or_unknown(wire: object, tokens: tuple[int, int, int] | None) -> None:
    used = usage_of(wire)
    found = used and (used.input_tokens, used.cached_tokens, used.output_tokens)
    assert found == tokens and (used is None or used.cost is None)


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[1]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a": ' * 50_000, b"1" * 5000],
)
def test_what_is_no_object_is_none(raw: bytes) -> None:
    assert json_object(raw) is None


@pytest.mark.parametrize(
    "raw",
    [b'\xef\xbb\xbf{"a": 1}', b'{"a": NaN}', b'{"a": "\\ud800"}', '{"a": 1}'.encode("utf-16")],
)
def test_json_is_read_as_lenient_clients_read_it(raw: bytes) -> None:
    assert json_object(raw) is not None


@pytest.mark.parametrize("wire", PARTIAL_WIRES)
def test_embeddings_need_not_tell_the_tokens_of_an_answer(wire: object) -> None:
    used = usage_of(wire, talks=False)
    assert used is not None and (used.input_tokens, used.output_tokens) == (3, 0)
