"""Run the gateway inside a Python program, in the background."""

from pathlib import Path

from openai import OpenAI

from toolmint import Toolmint


def swap(model: str, store: Path) -> str | None:
    client = Toolmint(model, store=store)  # model: "openai:gpt-5", or any endpoint
    with client.serving(port=0) as base_url, OpenAI(base_url=base_url, api_key="any") as openai:
        reply = openai.chat.completions.create(
            model="gpt-5", messages=[{"role": "user", "content": "Say hello."}]
        )
        return reply.choices[0].message.content
