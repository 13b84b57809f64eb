"""Writes the tables of docs/configuration.md and docs/metrics.md from the code: `make docs`."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

import aiohttp

from receiver.app import App, running
from receiver.config import Config, describe, load

DOCS = Path(__file__).resolve().parents[1] / "docs"

CONFIGURATION = """# Configuration

There is no default configuration file. Without `--config.file` the defaults below apply; a file that is
named must exist. It is YAML, sections with settings in them:

```yaml
clustering:
  threshold: 0.6
  close_after: 20m
severity:
  order: [none, info, warning, error, critical]
```

Durations are written as Prometheus writes them (`30s`, `4h35m`) or as a number of seconds, sizes with a
binary unit (`64MiB`) or as a number of bytes. `stormcell check-config FILE` shows every setting with its
value; `--set section.key=value` overrides one. Flags of `serve`: `--config.file`, `--set`,
`--storage.path`, `--web.listen-address`, `--log.level` (debug, info, warn, error) and `--log.format`
(logfmt, json).

| setting | default | unit | meaning |
|---|---|---|---|
"""

METRICS = """# Metrics

All at `/metrics`, prefix `stormcell_`. No label is unbounded: clusters have series of their own for the 50
that are shown, the rest is summed under `cluster_id="other"`. A shown cluster keeps its series until
five minutes after it resolved.

| metric | type | labels | meaning |
|---|---|---|---|
"""


def configuration() -> str:
    """Return docs/configuration.md."""
    rows = []
    for key, _, default, unit, meaning in describe(Config()):
        shown = json.dumps(list(default) if isinstance(default, tuple) else default)
        rows.append(f"| `{key}` | `{shown}` | {unit} | {meaning} |\n")
    return CONFIGURATION + "".join(rows)


async def metrics() -> str:
    """Return docs/metrics.md, from what a running receiver exports."""
    with tempfile.TemporaryDirectory() as folder:
        config = load(
            None,
            [
                f"storage.path={json.dumps(folder)}",
                "web.listen_address='127.0.0.1:0'",
                "embedding.backend=hashing",
                "clustering.stability_window=2",
            ],
        )
        async with running(config) as app:
            await _feed(app)
            families = sorted(app.metrics.registry.collect(), key=lambda family: family.name)
            rows = []
            for family in families:
                suffix = "_total" if family.type == "counter" else ""
                labels = {name for sample in family.samples for name in sample.labels} - {"le"}
                # What a new receiver does not know has no samples, only their names.
                labels |= set(getattr(family, "_labelnames", ()))
                rows.append(
                    f"| `{family.name}{suffix}` | {family.type} | {', '.join(sorted(labels))} |"
                    f" {family.documentation} |\n"
                )
    return METRICS + "".join(rows)


async def _feed(app: App) -> None:
    """Let two alerts be applied, so that every metric has something to tell."""
    alerts = [
        {"status": "firing", "labels": {"alertname": name}, "startsAt": "2026-01-01T00:00:00Z"}
        for name in ("A", "B")
    ]
    async with aiohttp.ClientSession() as session:
        body = json.dumps({"version": "4", "alerts": alerts})
        async with session.post(app.server.url + "/api/v1/webhook", data=body) as answer:
            answer.raise_for_status()
    # The receiver tells nobody when it is done; it is asked.
    while b"stormcell_assignment_stability_ratio" not in app.metrics.render():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def main() -> None:
    """Write both files."""
    (DOCS / "configuration.md").write_text(configuration())
    (DOCS / "metrics.md").write_text(asyncio.run(metrics()))
    print("docs/configuration.md and docs/metrics.md are written", file=sys.stderr)


if __name__ == "__main__":
    main()
