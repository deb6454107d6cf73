"""A family of cases: what it is called, how many there are, and the function that runs one."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import Callable, Optional

FAMILIES: dict[str, "Family"] = {}


@dataclass(frozen=True)
class Family:
    """``run`` is given the world, the case's own random numbers and the number of the case; it returns what was
    expected and what came about, both in words, or raises a Finding.

    ``group`` is the class of the summary. ``weight`` is the rough cost of a case in seconds, for the order.
    ``needs_world`` is false for cases that need no PostgreSQL.
    """

    name: str
    full: int
    quick: int
    run: Callable
    about: str
    needs_world: bool = True

    @property
    def group(self) -> str:
        """The class that the family belongs to: the first part of its name."""
        return self.name.split(".")[0]


@dataclass(frozen=True)
class Case:
    """One case: a family, a number in it, and the run's seed."""

    family: str
    number: int
    seed: str

    @property
    def id(self) -> str:
        """The name under which it is printed, and under which it can be run alone."""
        return f"{self.family}/{self.number}"

    def seed_of(self, attempt: int) -> int:
        """The seed of an attempt at it."""
        text = f"{self.seed}:{self.family}:{self.number}:{attempt}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")

    def random(self, attempt: int) -> random.Random:
        """The random numbers of an attempt at it."""
        return random.Random(self.seed_of(attempt))


def family(name: str, full: int, quick: int, about: str, needs_world: bool = True) -> Callable:
    """Register the decorated function as the family ``name``."""

    def register(function: Callable) -> Callable:
        if name in FAMILIES:
            raise RuntimeError(f"the family {name} is there twice")
        FAMILIES[name] = Family(name, full, quick, function, about, needs_world)
        return function

    return register


def cases(seed: str, quick: bool, chosen: Optional[list[str]] = None) -> list[Case]:
    """All cases of a run, those of different families mixed so that no family waits for the end."""
    found = []
    for one in FAMILIES.values():
        if chosen and not any(one.name == name or one.name.startswith(f"{name}.") for name in chosen):
            continue
        count = one.quick if quick else one.full
        found += [((number + 0.5) / count, Case(one.name, number, seed)) for number in range(count)]
    return [case for _place, case in sorted(found, key=lambda pair: (pair[0], pair[1].family))]
