"""Writes deploy/kubernetes/prometheusrule.yaml from rules/*.yml: `python -m scripts.make_kubernetes`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "rules" / "stormcell.yml"
TARGET = ROOT / "deploy" / "kubernetes" / "prometheusrule.yaml"

HEAD = """\
# For the Prometheus operator. Made from rules/stormcell.yml by `python -m scripts.make_kubernetes`.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: stormcell
  labels: {app.kubernetes.io/name: stormcell}
spec:
"""


def prometheus_rule() -> str:
    """Return the manifest: the rules as they are, comments too, a level deeper."""
    lines = RULES.read_text(encoding="utf-8").splitlines()
    return HEAD + "".join(f"  {line}".rstrip() + "\n" for line in lines)


def main() -> None:
    """Write it."""
    TARGET.write_text(prometheus_rule(), encoding="utf-8")
    print(f"{TARGET} is written", file=sys.stderr)


if __name__ == "__main__":
    main()
