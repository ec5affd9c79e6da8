"""What is shipped to deploy with names settings, paths and commands that exist."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolmint.assembly.former_names import PREFIX
from toolmint.assembly.settings import Settings
from toolmint.cli.main import COMMANDS
from toolmint.gateway.http_server import DRAIN_SECONDS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
MANIFESTS: list[dict[str, Any]] = list(
    yaml.safe_load_all((DEPLOY / "kubernetes" / "gateway.yaml").read_text())
)
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def check_settings(values: dict[str, str]) -> None:
    """Take each variable of ours as the settings would."""
    ours = {
        name.removeprefix(PREFIX).lower(): v
        for name, v in values.items()
        if name.startswith(PREFIX)
    }
    assert ours and set(ours) <= set(Settings.model_fields)
    Settings.model_validate(ours)


def pod() -> dict[str, Any]:
    (deployment,) = [one for one in MANIFESTS if one["kind"] == "Deployment"]
    return deployment["spec"]["template"]


def test_the_compose_file_names_settings_that_exist() -> None:
    gateway, store = COMPOSE["services"]["gateway"], COMPOSE["services"]["store"]
    check_settings(gateway["environment"])
    assert set(gateway["depends_on"]) <= set(COMPOSE["services"])
    assert (DEPLOY / gateway["build"]["context"] / gateway["build"]["dockerfile"]).is_file()
    assert int(gateway["stop_grace_period"].removesuffix("s")) > DRAIN_SECONDS
    user = store["environment"]["POSTGRES_USER"]
    assert f"postgresql://{user}:" in gateway["environment"]["TOOLMINT_STORE"]
    volumes = {one.split(":")[0] for one in store["volumes"]}
    assert volumes <= set(COMPOSE["volumes"])


def test_the_manifests_agree_with_each_other_and_with_the_program() -> None:
    template = pod()
    (container,) = template["spec"]["containers"]
    check_settings({one["name"]: one.get("value", "x") for one in container["env"]})
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    assert ports["http"] == Settings().port
    for recheck, path in (("readinessProbe", "/readyz"), ("livenessProbe", "/healthz")):
        assert container[recheck]["httpGet"] == {"path": path, "port": "http"}
    for one in MANIFESTS:
        assert one["apiVersion"] and one["metadata"]["name"] == "toolmint"
        selector = one["spec"]["selector"]
        assert selector.get("matchLabels", selector) == template["metadata"]["labels"]
        if one["kind"] == "Service":
            assert one["spec"]["ports"][0]["targetPort"] in ports
    assert template["spec"]["terminationGracePeriodSeconds"] > DRAIN_SECONDS
    mounts = {one["name"] for one in container["volumeMounts"]}
    assert mounts == {one["name"] for one in template["spec"]["volumes"]}


def test_the_image_installs_extras_and_starts_a_command_that_exist() -> None:
    extras = re.search(r"\.\[([a-z,]+)\]", DOCKERFILE)
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extras is not None and set(extras[1].split(",")) <= set(known)
    command = re.search(r'ENTRYPOINT \["toolmint", "(\w+)"', DOCKERFILE)
    assert command is not None and command[1] in COMMANDS
    for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE):
        assert all((ROOT / name).exists() for name in line.split())
    assert f"USER {pod()['spec']['securityContext']['runAsUser']}" in DOCKERFILE


@pytest.mark.parametrize("path", [DEPLOY / "compose.yaml", DEPLOY / "kubernetes" / "gateway.yaml"])
def test_no_secret_stands_in_a_file(path: Path) -> None:
    text = path.read_text()
    assert "sk-" not in text and "tw-" not in text and "tm-" not in text
