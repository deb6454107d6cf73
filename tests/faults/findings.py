"""What a case can end in, apart from passing."""

from __future__ import annotations


class Finding(Exception):
    """Something is not as promised. ``kind`` is what it counts as in the summary."""

    kind = "other"


class SilentLoss(Finding):
    """Something was declared good that the oracle finds incomplete, or a loss raised no alert."""

    kind = "silent loss"


class Harm(Finding):
    """An earlier good backup is damaged, or gone against policy."""

    kind = "earlier backup harmed"


class Leftover(Finding):
    """Something was left behind beyond policy: a process, a session, a file, a database."""

    kind = "left behind"


class Recovery(Finding):
    """The next undisturbed run did not succeed unaided."""

    kind = "next run failed"


class Leak(Finding):
    """A canary secret turned up where none belongs."""

    kind = "secret leaked"


class Escape(Finding):
    """Something was written outside of the target."""

    kind = "written outside the target"


class FalseAlarm(Finding):
    """Something healthy was refused."""

    kind = "false alarm"


class Unreached(Exception):
    """The fault did not take place: the case says nothing and is drawn again."""


def need(condition: object, failure: type, words: str) -> None:
    """Raise ``failure`` with ``words`` unless ``condition`` holds."""
    if not condition:
        raise failure(words)
