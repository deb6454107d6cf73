"""Measures times side by side: in each round every way once, so that a noisy machine is noisy to all of them."""

from __future__ import annotations

from typing import Callable

from guide import Guide, floor
from series import Series, collected
from subject import Subject

Say = Callable[[str], object]


def sized(subject: Subject, repeat: int, say: Say) -> dict[str, Series]:
    """Seconds by name, of everything that is measured at each size."""
    return collected([_round(subject, number, say) for number in range(repeat)])


def many_files(subject: Subject, repeat: int, say: Say) -> dict[str, Series]:
    """Seconds of the JSON backup of many small files, ours and the guide's."""
    rounds = []
    for number in range(repeat):
        subject.forget()
        guide = Guide(subject)
        rounds.append({"guide json": guide.json(), "json": subject.timed("backup", "--json-only")})
        guide.remove()
        _report(number, rounds[-1], say)
    return collected(rounds)


def starts(subject: Subject, repeat: int) -> Series:
    """Seconds of ``--version``, the modules compiled beforehand."""
    subject.timed("--version")
    return Series(tuple(subject.timed("--version") for _number in range(max(5, repeat))))


def _round(subject: Subject, number: int, say: Say) -> dict[str, float]:
    subject.forget()
    guide = Guide(subject)
    found = {"floor": floor(subject)}
    subject.configure(fingerprint="off")
    found["database without fingerprint"] = subject.timed("backup", "--db-only")
    subject.configure(fingerprint="full")
    found["database"] = subject.timed("backup", "--db-only")
    found["guide full"] = guide.full()
    found["full"] = subject.timed("backup")
    found["guide database"] = guide.database()
    found["guide json"] = guide.json()
    found["json"] = subject.timed("backup", "--json-only")
    found["verify"] = subject.timed("verify", subject.newest("full")["id"])
    found["guide restore"] = guide.restore()
    database_id = subject.newest("database")["id"]
    found["restore"] = subject.timed("restore", database_id, "--db-only")
    found["drill"] = subject.timed("drill", database_id)
    guide.remove()
    _report(number, found, say)
    return found


def _report(number: int, found: dict[str, float], say: Say) -> None:
    say(f"  round {number + 1}: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in found.items()))
