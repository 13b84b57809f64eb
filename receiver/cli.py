"""The command line: reads flags, runs one command, turns errors into one clear line and a code.

Exit codes: 0 done, 1 it failed, 2 the command line or the configuration is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from receiver import __version__, config, logs, store
from receiver.app import serve
from receiver.config import Config
from receiver.core.errors import StormcellError
from receiver.core.settings import ConfigError, parse_duration
from receiver.embedding import open_embedder
from receiver.embedding.prepare import prepare
from receiver.web import webconfig

if TYPE_CHECKING:
    from receiver import replay

log = logging.getLogger(__name__)

# What only `replay` and `demo` need is imported by them: it takes a tenth of the start of a server.


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="stormcell",
        description="Groups Prometheus alerts that belong to one problem while they arrive.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"stormcell {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    server = commands.add_parser("serve", help="receive alerts", allow_abbrev=False)
    _add_config(server)
    server.add_argument("--storage.path", dest="storage_path", metavar="DIR")
    server.add_argument("--web.listen-address", dest="listen_address", metavar="HOST:PORT")
    server.add_argument("--web.external-url", dest="external_url", metavar="URL")
    server.add_argument("--web.route-prefix", dest="route_prefix", metavar="PATH")
    server.add_argument("--web.config.file", dest="web_config_file", metavar="FILE")
    server.add_argument(
        "--web.enable-lifecycle", dest="enable_lifecycle", action="store_const", const=True
    )
    _add_logging(server)
    server.set_defaults(run=_serve)

    check = commands.add_parser("check-config", help="check a configuration file and show it")
    check.add_argument("file", type=Path)
    check.set_defaults(run=_check_config)

    copying = commands.add_parser(
        "backup",
        help="copy the database while the server runs",
        description="Copies the database as it is at one moment. What bears the name TARGET is whole: it is"
        " written beside it first. Put back as stormcell.db into an empty --storage.path, it goes on.",
        allow_abbrev=False,
    )
    copying.add_argument("target", metavar="TARGET", help="a file, or - for stdout")
    copying.add_argument("--storage.path", dest="storage_path", metavar="DIR")
    _add_config(copying)
    copying.set_defaults(run=_backup)

    looking = commands.add_parser(
        "check-db",
        help="check a database, also of a running server",
        description="Checks pages, tables, events, numbers, and, as far as the journal goes back, that its"
        " inputs give this very state. Exit code 1: something is wrong.",
        allow_abbrev=False,
    )
    looking.add_argument(
        "place", nargs="?", type=Path, metavar="DIR|FILE", help="default: storage.path"
    )
    _add_config(looking)
    looking.set_defaults(run=_check_db)

    model = commands.add_parser("model", help="prepare the embedding model")
    actions = model.add_subparsers(dest="action", required=True, metavar="ACTION")
    preparing = actions.add_parser("prepare", help="put the model into the cache")
    preparing.add_argument("--model", metavar="NAME|DIR", help="default: that of the configuration")
    _add_config(preparing)
    preparing.set_defaults(run=_prepare_model)

    playing = commands.add_parser(
        "replay",
        help="run alerts of the past through the same core",
        description="Groups alerts of the past as they would be grouped now. With --set also shows"
        " what that changes against the same configuration without it.",
        allow_abbrev=False,
    )
    playing.add_argument(
        "files",
        type=Path,
        nargs="*",
        metavar="FILE",
        help="alerts or webhook bodies as JSON, one a line or one a file; a folder of such files; a"
        " list from Alertmanager's /api/v2/alerts; a --storage.path; any file may be gzipped",
    )
    playing.add_argument(
        "--prometheus", metavar="URL", help="read the past of a Prometheus instead"
    )
    playing.add_argument(
        "--since", metavar="DURATION", help="how much of its past; default 30d", type=_duration
    )
    playing.add_argument("--format", choices=("table", "json", "jsonl"), default="table")
    playing.add_argument(
        "--no-diff", dest="diff", action="store_false", help="do not show what --set changes"
    )
    _add_config(playing)
    playing.set_defaults(run=_replay)

    show = commands.add_parser("demo", help="see a storm of alerts become clusters")
    show.add_argument("--once", action="store_true", help="end after the summary")
    show.add_argument("--seconds", type=float, default=60.0, help="about how long it takes")
    show.add_argument("--web.listen-address", dest="listen_address", metavar="HOST:PORT")
    show.add_argument(
        "--alertmanager",
        metavar="URL",
        help="only tell the alerts to this Alertmanager; start no receiver",
    )
    _add_logging(show, level="error")
    show.set_defaults(run=_demo)
    return top


def _add_config(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config.file", dest="config_file", type=Path, metavar="FILE")
    command.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a setting, as in clustering.threshold=0.6; may repeat",
    )


def _duration(text: str) -> float:
    seconds = parse_duration(text)
    if not seconds:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a duration such as 30d or 12h")
    return seconds


def _add_logging(command: argparse.ArgumentParser, level: str = "info") -> None:
    command.add_argument("--log.level", dest="log_level", choices=logs.LEVELS, default=level)
    command.add_argument("--log.format", dest="log_format", choices=logs.FORMATS, default="logfmt")


def run(arguments: Sequence[str]) -> int:
    """Run the command that *arguments* name; return the exit code."""
    options = parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except ConfigError as error:
        return _fail(2, str(error))
    except StormcellError as error:
        return _fail(1, str(error))
    except BrokenPipeError:
        # Whoever read our output has seen enough, as `| head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _fail(1, _os_error(error, options))
    except KeyboardInterrupt:
        return 130
    return code


def _fail(code: int, message: str) -> int:
    print(f"stormcell: {message}", file=sys.stderr)
    return code


def _os_error(error: OSError, options: argparse.Namespace) -> str:
    if error.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES) and hasattr(
        options, "listen_address"
    ):
        return f"--web.listen-address: {error.strerror}"
    return str(error)


_FLAGS = {
    "storage_path": "storage.path",
    "listen_address": "web.listen_address",
    "external_url": "web.external_url",
    "route_prefix": "web.route_prefix",
    "web_config_file": "web.config_file",
    "enable_lifecycle": "web.enable_lifecycle",
}
"""Flags that are settings under another name."""


def _read_config(options: argparse.Namespace) -> Config:
    overrides = list(getattr(options, "overrides", []))
    for flag, key in _FLAGS.items():
        value = getattr(options, flag, None)
        if value is not None:
            overrides.append(f"{key}={json.dumps(value)}")
    return config.load(getattr(options, "config_file", None), overrides)


def _serve(options: argparse.Namespace) -> int:
    logs.configure(options.log_level, options.log_format)
    settings = _read_config(options)

    async def until_signalled() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        def end() -> None:
            if stop.is_set():
                _give_up("a second signal")
            stop.set()
            watchdog = threading.Timer(_STOP_SECONDS, _give_up, ["not stopped in time"])
            watchdog.daemon = True
            watchdog.start()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end)
        # Until there is something to reload; without a handler it would end the process.
        loop.add_signal_handler(signal.SIGHUP, log.info, "SIGHUP: the configuration was just read")
        await serve(settings, stop, lambda: _read_config(options))

    asyncio.run(until_signalled())
    return 0


def _give_up(why: str) -> None:
    """End at once: what was answered 200 is committed, and the rest is repeated by its sender."""
    log.error("ending at once", extra={"reason": why})
    logging.shutdown()
    os._exit(1)


def _check_config(options: argparse.Namespace) -> int:
    settings = config.load(options.file)
    if settings.web.config_file:
        webconfig.read(Path(settings.web.config_file))
    rows = [("setting", "value", "default", "unit", "meaning")]
    for key, value, default, unit, meaning in config.describe(settings):
        rows.append((key, _shown(value), _shown(default), unit, meaning))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[4]]).rstrip())
    return 0


def _backup(options: argparse.Namespace) -> int:
    source = store.file_of(Path(_read_config(options).storage.path))
    if options.target != "-":
        size = store.backup(source, Path(options.target))
        print(f"{options.target}: {size:,} bytes", file=sys.stderr)
        return 0
    if sys.stdout.isatty():
        raise ConfigError("backup: got -, and stdout is a terminal, expected a pipe or a file")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        store.backup(source, copy)
        with copy.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
    return 0


_FOUND = {True: "ok", False: "FAILED", None: "-"}


def _check_db(options: argparse.Namespace) -> int:
    settings = _read_config(options)
    place = store.file_of(options.place or Path(settings.storage.path))
    failed = False
    for finding in store.check(place, settings.core):
        print(f"{_FOUND[finding.good]:6}  {finding.name:7}  {finding.text}", flush=True)
        failed |= finding.good is False
    return int(failed)


def _shown(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _prepare_model(options: argparse.Namespace) -> int:
    overrides = list(options.overrides)
    if options.model:
        overrides.append(f"embedding.model={json.dumps(options.model)}")
    settings = config.load(options.config_file, overrides)
    place = prepare(settings.embedding, report=lambda line: print(line, file=sys.stderr))
    print(place)
    return 0


_STOP_SECONDS = 20.0
"""Longest way from a signal to the end: what is in hand has ten seconds, clients two."""

_DEFAULT_SINCE = 30 * 86400.0


def _replay(options: argparse.Namespace) -> int:
    from receiver import replay

    inputs = _inputs(options)
    settings = _read_config(options)
    base = _without_overrides(options, settings)
    if settings.embedding.backend == "onnx":
        prepare(settings.embedding, report=lambda line: print(line, file=sys.stderr))
    embedder = open_embedder(settings.embedding)
    try:
        remembering = replay.Remembering(embedder)
        played = replay.run(inputs, settings, remembering)
        before = None if base is None else replay.run(inputs, base, remembering)
    finally:
        embedder.close()
    difference = None
    if before is not None:
        changed = [o for o in options.overrides if o not in _of_the_model(options)]
        difference = replay.Difference(before, played, changed)
    for line in _shown_replay(options.format, played, difference):
        print(line)
    for remark in played.remarks:
        print(remark, file=sys.stderr)
    if options.format == "table":
        print(replay.summary(played), file=sys.stderr)
    if played.refused:
        print(_refused(played), file=sys.stderr)
    return 1 if played.refused and played.refused == len(played.lines) else 0


def _refused(played: replay.Replay) -> str:
    first = next(line for line in played.lines if line.error)
    where = ", ".join(f"{name} {value}" for name, value in first.place.items())
    if played.refused == 1:
        return f"1 line was refused: {where}: {first.error}"
    count = f"{played.refused:,} lines were refused"
    return f"{count}; the first: {where}: {first.error}; --format jsonl tells why each was"


def _inputs(options: argparse.Namespace) -> list[replay.Source]:
    """Return what is to be read; both runs of a comparison read the same."""
    from receiver import replay

    if options.prometheus is None:
        if not options.files:
            raise ConfigError("replay: got nothing to read, expected FILE … or --prometheus URL")
        if options.since is not None:
            raise ConfigError("--since: expected with --prometheus only")
        return replay.open_sources(options.files)
    if options.files:
        raise ConfigError("replay: got FILE and --prometheus, expected one of them")
    return [replay.Prometheus(options.prometheus, options.since or _DEFAULT_SINCE)]


def _without_overrides(options: argparse.Namespace, settings: Config) -> Config | None:
    """Return the configuration to compare with; None if there is nothing to compare.

    The model is the same for both, so that a text is embedded once.
    """
    if not options.diff or options.format == "jsonl":
        return None
    base = config.load(options.config_file, _of_the_model(options))
    return None if base.core == settings.core else base


def _of_the_model(options: argparse.Namespace) -> list[str]:
    return [override for override in options.overrides if override.startswith("embedding.")]


def _shown_replay(
    form: str, played: replay.Replay, difference: replay.Difference | None
) -> Iterator[str]:
    from receiver import replay

    if form == "jsonl":
        yield from replay.jsonl(played)
    elif form == "json":
        document = replay.report(played)
        if difference is not None:
            document["diff"] = difference.document()
        yield json.dumps(document, indent=2)
    else:
        yield from replay.table(played)
        if difference is not None:
            yield ""
            yield from difference.table()


def _demo(options: argparse.Namespace) -> int:
    from receiver.demo import demo, load

    logs.configure(options.log_level, options.log_format)
    if options.alertmanager:
        return asyncio.run(load(options.alertmanager, seconds=options.seconds))
    settings = _read_config(options)
    if settings.embedding.backend == "onnx":
        # Before the event loop, where Ctrl-C ends it at once: the first time takes half a minute.
        prepare(settings.embedding, report=lambda line: print(line, file=sys.stderr))
    stay = sys.stdout.isatty() and not options.once
    return asyncio.run(demo(settings, seconds=options.seconds, stay=stay))
