"""Peak memory of every verb, at each size, with gzip and with zstd, and over many small files."""

from __future__ import annotations

from typing import Callable

from peaks import Peak
from subject import Subject

Say = Callable[[str], object]

AGAIN = {"backup --json-only, again": ("backup", "--json-only")}
MOST_VERBS = {"backup --json-only": ("backup", "--json-only"), **AGAIN, "verify": ("verify", "latest")}

# The full backup comes after its halves, so that ``latest`` means it.
GZIP_VERBS = {
    "backup --db-only": ("backup", "--db-only"),
    "backup --json-only": ("backup", "--json-only"),
    "backup": ("backup",),
    "verify": ("verify", "latest"),
    "restore": ("restore", "latest"),
}
ZSTD_VERBS = {f"{name}, zstd": GZIP_VERBS[name] for name in ("backup", "verify", "restore")}
FILE_VERBS = {
    "backup --json-only": ("backup", "--json-only"),
    **AGAIN,
    "list": ("list",),
    "info": ("info",),
    "verify": ("verify", "latest"),
    "restore --json-only --plan": ("restore", "latest", "--json-only", "--plan"),
    "restore --json-only": ("restore", "latest", "--json-only"),
}


def sized(subject: Subject, say: Say) -> dict[str, Peak]:
    """The peaks by verb of a subject with both halves."""
    found = {}
    for compression, verbs in (("auto", GZIP_VERBS), ("zstd", ZSTD_VERBS)):
        subject.forget()
        subject.configure(fingerprint="full", compression=compression)
        found.update(_each(subject, verbs, say))
    subject.configure(compression="auto")
    return found


def many_files(subject: Subject, say: Say) -> dict[str, Peak]:
    """The peaks and times by verb over many small files."""
    subject.forget()
    return _each(subject, FILE_VERBS, say)


def most_files(subject: Subject, say: Say) -> dict[str, Peak]:
    """The peaks over very many files."""
    subject.forget()
    return _each(subject, MOST_VERBS, say)


def _each(subject: Subject, verbs: dict, say: Say) -> dict[str, Peak]:
    found = {}
    for name, arguments in verbs.items():
        found[name] = subject.watched(*arguments)
        children = ", ".join(f"{child} {size:.0f}" for child, size in sorted(found[name].children.items()))
        say(f"  {name}: {found[name].own:.1f} MiB in {found[name].seconds:.2f} s; children: {children or 'none'}")
    return found
