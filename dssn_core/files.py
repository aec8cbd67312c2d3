"""Files that hold either the old or the new content, whatever kills the process in between."""

import gzip
import json
import os
import secrets
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from . import strict_json


def _lock(folder: Path, name: str) -> FileLock:
    """A lock in a folder, where all who share it see it, whatever they take for the place of temporary files."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f".{name}.lock")


def resolved(path: Path) -> Path:
    """Where a path leads to; ValueError for links that lead nowhere but to one another."""
    try:
        place = path.resolve()
    except RuntimeError as error:
        raise ValueError(str(error)) from None
    if place.is_symlink():  # since Python 3.13 that is no error
        raise ValueError(f"{path} is a link that leads back to itself")
    return place


def locked(folder: Path) -> AbstractContextManager[object]:
    """A block in which no other process that asks for it reads and rewrites what a folder holds."""
    return _lock(resolved(folder), "rewriting")


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """A long block that one process has for itself; ValueError, at once, where another is in it."""
    place = resolved(path)
    try:
        lock = _lock(place.parent, f"{place.name}.growing").acquire(timeout=0)
    except Timeout:
        raise ValueError(f"another process is writing to {path}: let it end, or choose another name") from None
    with lock:
        yield


def check_replaceable(path: Path) -> None:
    """ValueError for a path that is something other than a file: a folder, a device."""
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is not a file, so it cannot be overwritten: choose another name")


def check_writable(folder: Path) -> None:
    """ValueError for a folder in which no file can be made, or what is no folder."""
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise ValueError(f"{folder} cannot be written to")


NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
"""Flags for a file that must not be there yet; Windows would turn its line breaks into others."""


def write_atomically(path: Path, data: bytes) -> None:
    """Write to a temporary name beside `path`, flush it to the disk, then rename it over `path`.

    Of a link the file that it leads to is replaced, with the permissions that it had. ValueError where something else
    than a file would be.
    """
    check_replaceable(path)
    path = resolved(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else None
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(temporary, NEW, 0o666 if mode is None else mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(temporary, mode)  # what the mask took away
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The records of a JSON-lines file, none if it does not exist; compressed if its name ends with .gz.

    A last line torn by a kill is left out (what is torn off an object is no JSON); ValueError if any other line is not
    a JSON object.
    """
    if not path.exists():
        return []
    data = path.read_bytes()
    if path.suffix == ".gz":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is damaged: {error}") from error
    lines = data.split(b"\n")
    records = []
    for number, line in enumerate(lines, 1):
        last = number == len(lines)  # the part after the last line break: empty, torn, or whole after all
        try:
            record = strict_json.parse(line)
        except ValueError:
            record = None
        if isinstance(record, dict):
            records.append(record)
        elif not last:
            raise ValueError(f"{path} is not a file of JSON lines: see its line {number}")
    if not records and not lines[0].startswith(b'{"'[: len(lines[0])]):
        raise ValueError(f"{path} is not a file of JSON lines")
    return records


def write_json_lines(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Write records atomically, one a line; compressed, always to the same bytes, if the name ends with .gz."""
    data = "".join(json.dumps(record) + "\n" for record in records).encode()
    write_atomically(path, gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
