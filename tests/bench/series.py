"""Repeated measurements: what came out in the middle, and how far apart the outermost lay."""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass
from typing import Callable

import machine


class Seconds(float):
    """How long something took; ``processor``: what all cores together worked meanwhile, in seconds."""

    processor: float

    def __new__(cls, value: float, processor: float) -> "Seconds":
        made = super().__new__(cls, value)
        made.processor = processor
        return made

    def __add__(self, other: "Seconds") -> "Seconds":
        return Seconds(float(self) + float(other), self.processor + other.processor)


def seconds(act: Callable, *arguments: object) -> Seconds:
    """How long ``act`` takes, begun with a disk that has all of what was before."""
    os.sync()
    begun, worked = time.monotonic(), machine.worked()
    act(*arguments)
    return Seconds(time.monotonic() - begun, machine.worked() - worked)


@dataclass(frozen=True)
class Series:
    """The same figure measured again and again; ``values`` in the order of the rounds."""

    values: tuple  # of float, or of Seconds

    @property
    def processor(self) -> "Series":
        """The processor seconds of the same runs."""
        return Series(tuple(one.processor for one in self.values))

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    def over(self, other: "Series") -> "Series":
        """The ratios of each round: both were taken within it, so what slowed the machine slowed both."""
        return Series(tuple(mine / theirs for mine, theirs in zip(self.values, other.values)))

    def minus(self, other: "Series") -> "Series":
        """The differences of each round."""
        return Series(tuple(mine - theirs for mine, theirs in zip(self.values, other.values)))

    def plus(self, other: "Series") -> "Series":
        """The sums of each round."""
        return Series(tuple(mine + theirs for mine, theirs in zip(self.values, other.values)))

    def text(self, digits: int = 2) -> str:
        """``median (low to high)``; the median alone when there was one round."""
        middle = f"{self.median:.{digits}f}"
        return middle if len(self.values) == 1 else f"{middle} ({self.low:.{digits}f} to {self.high:.{digits}f})"


def collected(rounds: list[dict[str, float]]) -> dict[str, Series]:
    """One series a name out of the rounds, each of which measured every name once."""
    return {name: Series(tuple(one[name] for one in rounds)) for name in rounds[0]}
