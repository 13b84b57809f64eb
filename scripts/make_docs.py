"""Writes docs/configuration.md, metrics.md and the table of access.md from the code: `make docs`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from receiver.app import App, running
from receiver.config import Config, describe, load, reloaded
from receiver.web.access import INCLUDES, Role
from receiver.web.routes import Call
from tests.support.waiting import until

DOCS = Path(__file__).resolve().parents[1] / "docs"

CONFIGURATION = """# Configuration

There is no default configuration file. Without `--config.file` the defaults below apply; a file that is
named must exist. It is YAML, sections with settings in them, each key once:

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
`--storage.path`, `--web.listen-address`, `--web.external-url`, `--web.route-prefix`,
`--web.config.file` (docs/access.md), `--web.enable-lifecycle`, `--log.level` (debug, info, warn, error) and
`--log.format` (logfmt, json).

SIGHUP, and `POST /-/reload` with `--web.enable-lifecycle`, have the file read again. What a running
server takes on is marked; of the rest, what has changed is named in the log and in the answer, and
counted in `stormcell_config_settings_need_restart`. A file that cannot be used changes nothing.

| setting | default | unit | reload | meaning |
|---|---|---|---|---|
"""

METRICS = """# Metrics

All at `/metrics`, prefix `stormcell_`. No label is unbounded: clusters have series of their own for the 50
that are shown, the rest is summed under `cluster_id="other"`. A shown cluster keeps its series until
five minutes after it resolved.

| metric | type | labels | meaning |
|---|---|---|---|
"""


ROLES = "<!-- roles: made by scripts/make_docs.py -->"
END_OF_ROLES = "<!-- /roles -->"


def configuration() -> str:
    """Return docs/configuration.md."""
    rows = []
    for key, _, default, unit, meaning in describe(Config()):
        shown = json.dumps(list(default) if isinstance(default, tuple) else default)
        reloads = "yes" if reloaded(key) else ""
        rows.append(f"| `{key}` | `{shown}` | {unit} | {reloads} | {meaning} |\n")
    return CONFIGURATION + "".join(rows)


@contextlib.asynccontextmanager
async def _receiver() -> AsyncIterator[App]:
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
            yield app


async def access() -> str:
    """Return docs/access.md, with the table of what each role may do in its place."""
    async with _receiver() as app:
        calls = app.server.calls()
    page = [
        call for call in calls if call.role is None and call.path.endswith((".js", ".css", ".svg"))
    ]
    rows = [_row(f"`{call.method} {call.path}`", call) for call in calls if call not in page]
    rows = [row for row in rows if "`* " not in row]
    table = [
        "| call | anyone | webhook | read | operator |\n|---|---|---|---|---|\n",
        *rows,
        _row("the page's scripts, styles and pictures", page[0]),
    ]
    text = (DOCS / "access.md").read_text()
    before, mark, rest = text.partition(ROLES)
    _, end, after = rest.partition(END_OF_ROLES)
    return f"{before}{mark}\n{''.join(table)}{end}{after}"


def _row(name: str, call: Call) -> str:
    may = [call.role is None, *(call.role is None or call.role in INCLUDES[role] for role in Role)]
    note = " (or a ticket)" * call.ticket
    return f"| {name}{note} | {' | '.join('yes' if each else '' for each in may)} |\n"


async def metrics() -> str:
    """Return docs/metrics.md, from what a running receiver exports."""
    async with _receiver() as app:
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
    await until(lambda: b"stormcell_assignment_stability_ratio" in app.metrics.render())


def main() -> None:
    """Write all of them."""
    (DOCS / "configuration.md").write_text(configuration())
    (DOCS / "metrics.md").write_text(asyncio.run(metrics()))
    (DOCS / "access.md").write_text(asyncio.run(access()))
    print("docs/configuration.md, metrics.md and access.md are written", file=sys.stderr)


if __name__ == "__main__":
    main()
