"""Measures times side by side: in each round every way once, so that a noisy machine is noisy to all of them."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Callable

import pieces
from bare import Bare, floor
from guide import Guide, dump_bytes
from series import Series, collected
from subject import Subject

Say = Callable[[str], object]
FIVE, RETAINED = 5, 20
_PAIRS = 10  # at least: backups of the smallest size take a second or two, and a twentieth of that is to be seen


def sized(subject: Subject, repeat: int, say: Say) -> dict[str, Series]:
    """Seconds by name, of everything that is measured at each size."""
    return collected([_round(subject, number, say) for number in range(repeat)])


def many_files(subject: Subject, repeat: int, say: Say) -> dict[str, Series]:
    """Seconds of the JSON backup of many small files, ours and the guide's; of the ``pieces``, processor seconds."""
    rounds = []
    for number in range(repeat):
        subject.forget()
        guide, bare = Guide(subject), Bare(subject)
        found = {
            "guide json": guide.json(),
            "bare json": bare.files(),
            "json": subject.timed("backup", "--json-only"),
            "json, again": subject.timed("backup", "--json-only"),
        }
        rounds.append({**found, **_pieces(subject, "json")})
        guide.remove()
        bare.remove()
        _report(number, rounds[-1], say)
    return collected(rounds)


def starts(subject: Subject, repeat: int) -> Series:
    """Seconds of ``--version``, the modules compiled beforehand."""
    subject.timed("--version")
    return Series(tuple(subject.timed("--version") for _number in range(max(5, repeat))))


def retained(subject: Subject, repeat: int, say: Say) -> tuple[Series, Series]:
    """Seconds and bytes of a full backup with ``RETAINED`` kept, over those with none, in pairs."""
    subject.forget()
    subject.configure(fingerprint="full", compression="auto")
    for _number in range(RETAINED):
        subject.timed("backup")
    pairs = []
    for number in range(max(_PAIRS, repeat)):
        found = []
        for place in ("with", "without") if number % 2 else ("without", "with"):
            with subject.empty_repository() if place == "without" else contextlib.nullcontext():
                seconds = subject.timed("backup")
                found.append((place, seconds, subject.newest("full")["size"]))
        sides = {place: (seconds, size) for place, seconds, size in found}
        pairs.append([sides["with"][one] / sides["without"][one] for one in (0, 1)])
    say(f"  {RETAINED} retained over none: " + ", ".join(f"{seconds:.2f}" for seconds, _size in pairs))
    seconds, sizes = zip(*pairs)
    return Series(seconds), Series(sizes)


def sizes(subject: Subject, say: Say) -> dict[str, int]:
    """Bytes of the database's backup with gzip and with zstd, and of its dump at gzip -6."""
    found = {"gzip -6": dump_bytes(subject)}
    for name, compression in (("gzip", "auto"), ("zstd", "zstd")):
        subject.configure(compression=compression)
        subject.timed("backup", "--db-only")
        found[name] = subject.newest("database")["size"]
    subject.configure(compression="auto")
    say("  bytes: " + ", ".join(f"{name} {size:,}" for name, size in found.items()))
    return found


def _round(subject: Subject, number: int, say: Say) -> dict[str, float]:
    subject.forget()
    guide, bare = Guide(subject), Bare(subject)
    found = {"floor": floor(subject), "bare database": bare.database()}
    subject.configure(fingerprint="off")
    found["database without fingerprint"] = subject.timed("backup", "--db-only")
    subject.configure(fingerprint="full")
    found["database"] = subject.timed("backup", "--db-only")
    database_id = subject.newest("database")["id"]
    subject.configure(fingerprint="off", compression="zlib")
    found["database, standard library"] = subject.timed("backup", "--db-only")
    subject.configure(fingerprint="full", compression="auto")
    found["guide database"] = guide.database()
    found["guide database, piped"] = guide.piped()
    found["bare json"] = bare.files()
    found["json"] = subject.timed("backup", "--json-only")
    found["guide json"] = guide.json()
    found["bare full"] = bare.full()
    with subject.empty_repository():
        found["full"] = subject.timed("backup")
    found["full, again"] = subject.timed("backup")
    halves = found["guide database"] + found["guide json"]
    found["guide full"] = guide.full(halves)
    guide.retain(FIVE)
    found["guide full, five retained"] = guide.full(halves)
    found["verify"] = subject.timed("verify", subject.newest("full")["id"])
    found.update(_pieces(subject, "database", "json", "full"))
    restores = {
        "bare restore, lz4": lambda: bare.restore(lz4=True),
        "restore, lz4": lambda: _restore(subject, database_id, "lz4"),
        "guide restore": guide.restore,
        "bare restore": bare.restore,
        "restore": lambda: _restore(subject, database_id, "default"),
        "drill": lambda: subject.timed("drill", database_id),
    }
    for name, restore in restores.items():
        subject.forget_previous()
        found[name] = restore()
    guide.remove()
    bare.remove()
    _report(number, found, say)
    return found


def _pieces(subject: Subject, *kinds: str) -> dict[str, float]:
    """Processor seconds of what the proof is made of: over the data directory, and the newest of each kind."""
    newest = {kind: Path(subject.newest(kind)["path"]) for kind in kinds}
    digests = {pieces.artifact(kind): pieces.of_artifact(path) for kind, path in newest.items()}
    return {**pieces.of_files(subject.data), **digests}


def _restore(subject: Subject, database_id: str, toast: str) -> float:
    subject.configure(restore_toast_compression=toast)
    return subject.timed("restore", database_id, "--db-only")


def _report(number: int, found: dict[str, float], say: Say) -> None:
    say(f"  round {number + 1}: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in found.items()))
