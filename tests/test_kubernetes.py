"""The manifests for Kubernetes, as far as they can be tried without one: by schemas, and by their sources.

Of Kubernetes' own kinds by the schemas of its API, of the Prometheus operator's by its definitions. No API
server has seen them: defaults, admission and what the operator makes of them are not tried.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from receiver.config import load
from scripts import make_kubernetes
from tests.support.processes import REPOSITORY
from tests.test_alertmanager_config import blinding
from tests.test_alertmanager_config import routes as all_routes

FOLDER = REPOSITORY / "deploy" / "kubernetes"
MANIFESTS: dict[str, dict[str, Any]] = {
    document["kind"]: document
    for path in sorted(FOLDER.glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
}
OPERATOR = json.loads((REPOSITORY / "tests" / "schemas" / "prometheus-operator.json").read_text())
OURS = {"PrometheusRule", "ServiceMonitor", "AlertmanagerConfig"}
KUBERNETES = "1.37"

each_native = pytest.mark.parametrize("kind", sorted(MANIFESTS.keys() - OURS))
each_of_the_operator = pytest.mark.parametrize("kind", sorted(OURS))


def test_all_that_is_promised_is_there() -> None:
    assert MANIFESTS.keys() == OURS | {
        "ConfigMap",
        "Deployment",
        "PersistentVolumeClaim",
        "Service",
    }


@each_native
def test_kubernetes_knows_every_key_of_it(kind: str) -> None:
    kubernetes_validate.validate(MANIFESTS[kind], KUBERNETES, strict=True)


def test_a_key_that_kubernetes_does_not_know_is_found() -> None:
    wrong = json.loads(json.dumps(MANIFESTS["Deployment"]))
    wrong["spec"]["template"]["spec"]["containers"][0]["redinessProbe"] = {}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES, strict=True)


@each_of_the_operator
def test_the_operator_knows_every_key_of_it(kind: str) -> None:
    jsonschema.validate(MANIFESTS[kind], OPERATOR[kind])


@each_of_the_operator
def test_a_key_that_the_operator_does_not_know_is_found(kind: str) -> None:
    wrong = json.loads(json.dumps(MANIFESTS[kind]))
    deepest = {
        "PrometheusRule": lambda spec: spec["groups"][0]["rules"][0],
        "ServiceMonitor": lambda spec: spec["endpoints"][0]["authorization"]["credentials"],
        "AlertmanagerConfig": lambda spec: spec["receivers"][2]["webhookConfigs"][0]["httpConfig"],
    }
    deepest[kind](wrong["spec"])["nonesuch"] = "x"

    with pytest.raises(jsonschema.ValidationError, match="nonesuch"):
        jsonschema.validate(wrong, OPERATOR[kind])


def test_the_rules_are_those_of_the_rule_files() -> None:
    (rules,) = (REPOSITORY / "rules").glob("*.yml")

    assert MANIFESTS["PrometheusRule"]["spec"] == yaml.safe_load(rules.read_text())
    assert make_kubernetes.TARGET.read_text() == make_kubernetes.prometheus_rule()


def snake(value: Any) -> Any:
    """Return *value* with keys as Alertmanager's own configuration has them, matchers as texts."""
    if isinstance(value, list):
        return [snake(each) for each in value]
    if isinstance(value, dict) and value.keys() == {"name", "matchType", "value"}:
        return f'{value["name"]}{value["matchType"]}"{value["value"]}"'
    if isinstance(value, dict):
        return {re.sub("([A-Z])", r"_\1", k).lower(): snake(v) for k, v in value.items()}
    return value


def test_the_routes_are_those_of_the_configuration_with_a_token() -> None:
    whole = yaml.safe_load((REPOSITORY / "alertmanager" / "bearer-token.yml").read_text())
    ours = snake(MANIFESTS["AlertmanagerConfig"]["spec"])
    hook = whole["receivers"][2]["webhook_configs"][0]["http_config"]
    secret = ours["receivers"][2]["webhook_configs"][0]["http_config"]

    assert ours["route"] == whole["route"]
    assert hook["authorization"].keys() == {"credentials_file"}
    assert secret.pop("authorization")["credentials"]["key"] == "webhook"
    del hook["authorization"]
    assert ours["receivers"] == whole["receivers"]
    assert len(list(all_routes(ours["route"], {}))) > 5
    assert blinding(ours) == []
    assert "inhibit_rules" not in ours


def test_the_names_in_one_are_those_in_the_others() -> None:
    service, monitor = MANIFESTS["Service"], MANIFESTS["ServiceMonitor"]
    pod = MANIFESTS["Deployment"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}

    # The job of what is scraped is the name of the Service; the rules ask for it.
    assert service["metadata"]["name"] == "stormcell"
    assert service["metadata"]["labels"] == monitor["spec"]["selector"]["matchLabels"]
    assert service["spec"]["selector"] == pod["metadata"]["labels"]
    assert monitor["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
    assert service["spec"]["ports"][0]["targetPort"] == container["ports"][0]["name"]
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes.keys()
    assert volumes["data"]["persistentVolumeClaim"]["claimName"] == "stormcell"
    assert volumes["tokens"]["secret"]["secretName"] == "stormcell-tokens"


def test_the_receiver_can_read_its_configuration(tmp_path: Path) -> None:
    text = MANIFESTS["ConfigMap"]["data"]["stormcell.yml"]
    for name in ("webhook", "read", "operator"):
        assert f"/etc/stormcell/tokens/{name}]" in text
        (tmp_path / name).write_text("0123456789abcdef\n")
    file = tmp_path / "stormcell.yml"
    file.write_text(text.replace("/etc/stormcell/tokens", str(tmp_path)))

    assert load(file, []).web.listen_address == "0.0.0.0:9783"


def test_it_runs_as_the_image_does_once_and_on_a_file_system_that_is_read_only() -> None:
    spec = MANIFESTS["Deployment"]["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    user = re.search(r"^USER (\d+):(\d+)$", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE)

    assert user is not None
    security = pod["securityContext"]
    assert (security["runAsUser"], security["runAsGroup"]) == tuple(map(int, user.groups()))
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
