"""The cost of an alert against how much is held, drawn. matplotlib is of the extra `bench`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

_LINES = (
    ("new_ms", "new text, receipt to clustered", "o-"),
    ("known_ms", "known text, receipt to clustered", "s-"),
    ("storm_cpu_ms", "known text in a storm, processor time", "^-"),
)


def draw(points: Sequence[Mapping[str, float]], path: Path, said: str) -> None:
    """Draw *points* (vectors, and milliseconds by line) to the SVG file at *path*; *said* goes below.

    Raises:
        ImportError: matplotlib is not installed.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    # The same points give the same file: ids from a fixed salt, and no date in it.
    mpl.rcParams["svg.hashsalt"] = "stormcell"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.2), layout="constrained")
    vectors = [point["vectors"] for point in points]
    for key, label, form in _LINES:
        axes.plot(vectors, [point[key] for point in points], form, label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(vectors, [f"{count:,.0f}" for count in vectors], minor=False)
    axes.minorticks_off()
    axes.yaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(mpl.ticker.FormatStrFormatter("%g"))
    axes.set_xlabel("vectors held")
    axes.set_ylabel("milliseconds an alert, median")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.supxlabel(said, fontsize=7, color="0.4")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
