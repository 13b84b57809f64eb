"""Does what a Dockerfile says, step by step and without Docker: `python -m scripts.image_steps DIR`.

With `--file grafana/Dockerfile` that of Grafana with the plugin. Every stage begins in DIR/root, which
stands for its `/`: what the file makes (`/opt`, `/build`, `/data`, ...) lies in there, all else is this
machine's. A stage that is done is kept as DIR/STAGE, the last one as DIR/root. What lies outside differs
from an image: the operating system is this one's, so are Python and Node, and of Grafana there is nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
_INSIDE = re.compile(r"(?<![\w./-])/(?=(?:opt|build|data|receiver|etc/grafana)\b)")
"""The roots of what lies in an image and not on this machine."""

_BASES = ("${PYTHON}", "node:", "grafana/grafana:")
"""What images may begin with: what this machine has in its place, or nothing has to stand for."""

_IGNORED = ("__pycache__", "node_modules", "dist")
"""Folders that .dockerignore keeps out."""


class StepError(Exception):
    """The Dockerfile has what is not understood here, or a step failed."""


@dataclass
class Image:
    """What the last stage says of how it is run.

    Attributes:
        root: Stands for `/`.
        environment: Of its processes, over that of this one.
        command: ENTRYPOINT and CMD.
        health: The command of HEALTHCHECK.
        user: As USER has it.
    """

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    user: str = ""

    @property
    def command(self) -> list[str]:
        """What is run when nothing else is asked for."""
        return self.entrypoint + self.arguments


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield each instruction of a Dockerfile with what follows it, continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name.upper(), rest.strip()


class Builder:
    """Runs the instructions, one after the other."""

    def __init__(self, folder: Path, contexts: Mapping[str, Path]) -> None:
        """Build in *folder*; *contexts* take the place of stages, as `--build-context` does."""
        self._folder = folder
        self._contexts = dict(contexts)
        self._image = Image(folder / "root")
        self._within = ""
        self._stage = ""
        self._skipping = False
        tools = folder / "bin"
        tools.mkdir(parents=True, exist_ok=True)
        # `python` is the one of this machine, not that of an environment which happens to be active.
        (tools / "python").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
        if os.geteuid() != 0:
            # Only root can give files away; whoever tries without is left with his own.
            (tools / "chown").write_text("#!/bin/sh\n")
            (tools / "chown").chmod(stat.S_IRWXU)
        self._path = f"{tools}:{os.environ['PATH']}"

    def build(self, text: str) -> Image:
        """Run all of the Dockerfile *text*.

        Raises:
            StepError: It has what is not understood here, or a step failed.
        """
        for name, rest in instructions(text):
            step = getattr(self, f"_{name.lower()}", None)
            if step is None:
                raise StepError(f"{name} {rest}: not understood here")
            if self._skipping and name != "FROM":
                continue
            began = time.monotonic()
            step(rest)
            if name in ("RUN", "COPY", "FROM"):
                passed = time.monotonic() - began
                print(f"{passed:6.1f} s  {name} {rest[:100]}", file=sys.stderr, flush=True)
        return self._image

    def _inside(self, text: str) -> str:
        return _INSIDE.sub(f"{self._image.root}/", text)

    def _from(self, rest: str) -> None:
        if self._stage and not self._skipping:
            self._image.root.rename(self._folder / self._stage)
        base, _, stage = rest.partition(" AS ")
        if not base.startswith(_BASES):
            raise StepError(f"FROM {rest}: expected one of {', '.join(_BASES)}")
        self._stage = stage
        self._within = ""
        self._skipping = stage in self._contexts
        if not self._skipping:
            self._image = Image(self._folder / "root")
            self._image.root.mkdir()
            # Whoever runs in the image is not who built it.
            self._image.root.chmod(0o755)

    def _workdir(self, rest: str) -> None:
        self._within = rest.lstrip("/")
        self._folder_within.mkdir(parents=True, exist_ok=True)

    @property
    def _folder_within(self) -> Path:
        return self._image.root / self._within

    def _arg(self, rest: str) -> None:
        """Leave it: whatever is set in the environment of this process counts."""

    def _copy(self, rest: str) -> None:
        words = shlex.split(rest)
        context = REPOSITORY
        if words[0].startswith("--from="):
            stage = words.pop(0).removeprefix("--from=")
            context = self._contexts.get(stage, self._folder / stage)
        if words[0].startswith("--"):
            raise StepError(f"COPY {rest}: only --from is understood here")
        *sources, target = words
        into = self._folder_within / self._inside(target)
        for source in (context / source.lstrip("/") for source in sources):
            if source.is_dir():
                shutil.copytree(
                    source,
                    into,
                    symlinks=True,
                    dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns(*_IGNORED) if context == REPOSITORY else None,
                )
            else:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, into)

    def _run(self, rest: str) -> None:
        done = subprocess.run(
            ["sh", "-euc", self._inside(rest)],
            cwd=self._folder_within,
            # Not where somebody else's packages lie, and not in somebody's home.
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
                "PATH": self._path,
                **self._image.environment,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise StepError(f"RUN {rest}: ended with {done.returncode}\n{done.stdout}{done.stderr}")

    def _env(self, rest: str) -> None:
        for word in shlex.split(rest):
            name, _, value = word.partition("=")
            value = self._inside(value).replace("$PATH", self._path)
            self._image.environment[name] = value

    def _user(self, rest: str) -> None:
        self._image.user = rest

    def _volume(self, rest: str) -> None:
        if not Path(self._inside(rest)).is_dir():
            raise StepError(f"VOLUME {rest}: no such folder; it would be root's")

    def _expose(self, rest: str) -> None:
        """Leave it: it only tells."""

    def _healthcheck(self, rest: str) -> None:
        self._image.health = json.loads(rest[rest.index("[") :])

    def _entrypoint(self, rest: str) -> None:
        self._image.entrypoint = json.loads(rest)

    def _cmd(self, rest: str) -> None:
        self._image.arguments = [self._in_value(word) for word in json.loads(rest)]

    def _in_value(self, word: str) -> str:
        name, equals, value = word.partition("=")
        return f"{name}={self._inside(value)}" if equals else word


def build(
    folder: Path, contexts: Mapping[str, Path] | None = None, file: str = "Dockerfile"
) -> Image:
    """Do what a Dockerfile of ours says in *folder*, which must be empty or missing.

    Args:
        folder: A short path: it becomes part of what is installed.
        contexts: Folders that take the place of stages, by their names.
        file: Its path in the source.

    Raises:
        StepError: A step failed; what it wrote is in the text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    return Builder(folder, contexts or {}).build((REPOSITORY / file).read_text())


def main() -> None:
    """Build in the folder that is given."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path, metavar="DIR")
    options.add_argument(
        "--build-context", action="append", default=[], metavar="STAGE=DIR", dest="contexts"
    )
    options.add_argument("--file", default="Dockerfile", help="or grafana/Dockerfile")
    given = options.parse_args()
    contexts = dict(context.split("=", 1) for context in given.contexts)
    folders = {stage: Path(folder) for stage, folder in contexts.items()}
    image = build(given.folder, folders, given.file)
    print(shlex.join(image.command))


if __name__ == "__main__":
    main()
