# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Chooses the compressor: the fastest gzip-compatible program there is, or what the configuration names."""

from __future__ import annotations

import os
import shutil
import zlib
from dataclasses import dataclass
from typing import Callable

from . import process
from .command import Command, environment
from .errors import DecryptError, EngineError, PreflightError

_CHUNK = 1 << 20
ENCRYPTED = ".gpg"


@dataclass(frozen=True)
class Compression:
    """How a stream is compressed: ``stages`` are the programs (none: the standard library's zlib).

    ``encryption`` are the programs that what was compressed goes through afterwards; none leaves it readable.
    """

    name: str
    extension: str
    stages: tuple[Command, ...]
    encryption: tuple[Command, ...] = ()


def _programs() -> dict:
    cores = str(len(os.sched_getaffinity(0)))
    return {
        "igzip": ("igzip", "-1", "--stdout"),
        "pigz": ("pigz", "-1", "--no-name", "--processes", cores, "--stdout"),
        "gzip": ("gzip", "-1", "--no-name", "--stdout"),
        "zstd": ("zstd", "-3", "--threads=0", "--quiet", "--stdout"),
    }


_DECODERS = {
    ".gz": (("igzip", "-dc"), ("pigz", "-dc"), ("gzip", "-dc")),
    ".zst": (("zstd", "-dc", "--quiet"),),
}


def choose(name: str) -> Compression:
    """The compression that the configuration's word ``name`` means here. Raises PreflightError when absent."""
    programs = _programs()
    if name == "auto":
        name = next((one for one in ("igzip", "pigz", "gzip") if _which(one)), "zlib")
    if name == "zlib":
        return Compression("zlib", ".gz", ())
    if not _which(name):
        raise PreflightError(
            f"{name}: command not found, but compression is {name}", f"install {name}, or set compression to auto"
        )
    extension = ".zst" if name == "zstd" else ".gz"
    return Compression(name, extension, (Command((_which(name), *programs[name][1:])),))


def decoder(file_name: str) -> tuple[Command, ...]:
    """The command that decodes ``file_name`` from stdin to stdout; empty: use the standard library's zlib."""
    extension = os.path.splitext(file_name)[1]
    if extension not in _DECODERS:
        raise EngineError(f"{file_name} ends in no compression that is known here", "use the version that wrote it")
    for argv in _DECODERS[extension]:
        path = _which(argv[0])
        if path:
            return (Command((path, *argv[1:])),)
    if extension == ".gz":
        return ()
    raise PreflightError(f"{file_name} cannot be decoded: zstd is not installed", "install zstd")


def decoded(
    file_name: str, source: Callable, decryption: tuple[Command, ...] = ()
) -> tuple[tuple[Command, ...], Callable]:
    """The stages and the source that give the decoded content of ``file_name``, whose bytes ``source`` writes."""
    encrypted = file_name.endswith(ENCRYPTED)
    decryption = decryption if encrypted else ()
    if encrypted and not decryption:
        raise DecryptError(f"{file_name} is encrypted, and there is no key to read it with", "give --key FILE")
    stages = decoder(file_name[: -len(ENCRYPTED)] if encrypted else file_name)
    if stages:
        return decryption + stages, source

    def decode(write: Callable[[bytes], object]) -> None:
        feed, finish = zlib_decoder(write)
        process.pump(decryption, feed, source)
        finish()

    return (), decode


def zlib_decoder(sink: Callable[[bytes], object]) -> tuple[Callable[[bytes], None], Callable[[], None]]:
    """The standard library's gzip decoder as a pair; ``finish`` raises EOFError on a truncated stream."""
    state = {"decoder": zlib.decompressobj(31)}

    def feed(block: bytes) -> None:
        while block:
            decoder_ = state["decoder"]
            data = decoder_.decompress(block, _CHUNK)
            if data:
                sink(data)
            block = decoder_.unconsumed_tail
            if decoder_.eof:
                block = decoder_.unused_data
                if block:
                    state["decoder"] = zlib.decompressobj(31)

    def finish() -> None:
        if not state["decoder"].eof:
            raise EOFError("the gzip stream ends too early")

    return feed, finish


def _which(program: str) -> str:
    return shutil.which(program, path=environment()["PATH"]) or ""
