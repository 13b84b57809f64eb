"""What Grafana is provisioned with. No published schema was found: keys are closed here, as documented."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml

from scripts import dashboards
from scripts.dashboards.parts import LIVE_PANEL, PROMETHEUS, STORMCELL
from tests.support.processes import REPOSITORY

FOLDER = REPOSITORY / "grafana" / "provisioning"
TEXT = {"type": "string", "minLength": 1}
FLAG = {"type": "boolean"}
NUMBER = {"type": "integer", "minimum": 1}


def closed(required: str, optional: str = "", **properties: Any) -> dict[str, Any]:
    """Return the schema of an object with these keys, texts where nothing else is said, and no others."""
    names = required.split() + optional.split()
    return {
        "type": "object",
        "required": required.split(),
        "properties": dict.fromkeys(names, TEXT) | properties,
        "additionalProperties": False,
    }


def listed(key: str, item: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the schema of a file that lists *item* under *key*."""
    items = {"type": "array", "minItems": 1, "items": item}
    return closed(f"apiVersion {key}", "", apiVersion={"const": 1}, **{key: items}, **more)


SCHEMAS = {
    "datasources/stormcell.yaml": listed(
        "datasources",
        closed(
            "name uid type access url editable",
            "isDefault jsonData secureJsonData",
            access={"const": "proxy"},
            editable={"const": False},
            isDefault=FLAG,
            jsonData=closed("", "httpMethod timeInterval"),
            secureJsonData=closed("token", token={"const": "$RECEIVER_TOKEN"}),
        ),
    ),
    "plugins/apps.yaml": listed("apps", closed("type disabled", disabled=FLAG)),
    "dashboards/stormcell.yaml": listed(
        "providers",
        closed(
            "name type folder folderUid options",
            "disableDeletion allowUiUpdates updateIntervalSeconds",
            type={"const": "file"},
            disableDeletion=FLAG,
            allowUiUpdates=FLAG,
            updateIntervalSeconds=NUMBER,
            options=closed("path"),
        ),
    ),
}


def load(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())


def test_every_file_has_a_schema() -> None:
    found = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}

    assert found == SCHEMAS.keys()


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_has_the_keys_that_grafana_knows_and_no_others(name: str) -> None:
    jsonschema.validate(load(name), SCHEMAS[name])


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_key_that_grafana_does_not_know_is_found(name: str) -> None:
    document = load(name)
    (key,) = document.keys() - {"apiVersion"}
    document[key][0]["edittable"] = True

    with pytest.raises(jsonschema.ValidationError, match="edittable"):
        jsonschema.validate(document, SCHEMAS[name])


def test_the_sources_are_those_that_the_dashboards_ask() -> None:
    sources = {s["uid"]: s for s in load("datasources/stormcell.yaml")["datasources"]}

    assert {"type": sources["stormcell"]["type"], "uid": "stormcell"} == STORMCELL
    assert {"type": sources["prometheus"]["type"], "uid": "prometheus"} == PROMETHEUS
    assert len(sources) == 2
    assert sources["stormcell"]["url"] == "$RECEIVER_URL"


def test_all_three_unsigned_plugins_are_named() -> None:
    text = (FOLDER / "plugins" / "apps.yaml").read_text()

    assert f"=stormcell-app,{STORMCELL['type']},{LIVE_PANEL}" in text


def test_there_are_dashboards_to_provision() -> None:
    assert len(list(dashboards.FOLDER.glob("*.json"))) == 3
