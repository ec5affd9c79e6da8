"""An application behind the gateway: the official SDK with another base URL."""

from openai import OpenAI


def ask(base_url: str = "http://127.0.0.1:8080/v1") -> tuple[str | None, str]:
    client = OpenAI(base_url=base_url, api_key="any")  # nothing else changes
    reply = client.chat.completions.with_raw_response.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "Convert 3 miles to km."}],
    )
    text = reply.parse().choices[0].message.content
    return text, reply.headers["x-toolmint-tier"]
