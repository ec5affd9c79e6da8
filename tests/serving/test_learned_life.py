"""A learned tool lives the life of any tool: it is proved, audited, demoted, fitted anew, and abstains."""

from pathlib import Path

import pytest
from tests.serving.learned_world import label_world, stream

pytestmark = pytest.mark.anyio
BOUND = {"epsilon": 0.1, "confidence": 0.9, "learned_after": 200}


async def test_freely_worded_labels_become_one_class_that_a_learned_tool_answers(
    tmp_path: Path,
) -> None:
    requests = iter(stream(900))
    async with label_world(tmp_path, **BOUND) as world:
        await world.play(requests, 700)
        server = await world.server()
        ((name, entry),) = server.entries.items()
        assert name == server.classes.free.name and entry.state == "serving"
        assert entry.record.kind == "learned" and entry.record.weights and not entry.record.source
        tiers = dict[str, int]()
        before = world.calls
        for text, label in list(requests)[:100]:
            found = await world.ask(text, label)
            assert found.served is not None and found.answer is not None
            tiers[found.served.tier] = tiers.get(found.served.tier, 0) + 1
            if found.served.tier == "learned":
                assert found.served.version == entry.record.version
                assert "is sure of" in found.served.why and found.served.usage.requests == 0
        assert tiers["learned"] >= 50 and world.calls - before == tiers.get("strong", 0)
        pass
