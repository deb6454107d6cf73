"""Odd data directories."""

from __future__ import annotations

import os
from pathlib import Path


def plain(data: Path) -> None:
    (data / "knowledge.json").write_text('[{"id": 1, "title": "橋梁点検"}]')


def odd_names(data: Path) -> None:
    names = (
        "with space.json",
        "quo'te\".json",
        "per%cent%s.json",
        "new\nline.json",
        "-dash.json",
        "日本語 データ.json",
    )
    for name in (*names, "back\\slash.json", "*.json", "$(id).json", "長" * 80 + ".json", ".hidden.json", "tab\t.json"):
        (data / name).write_text("{}")
    Path(os.fsdecode(os.fsencode(data) + b"/not utf-8 \xff\xfe.json")).write_text("{}")


def links(data: Path) -> None:
    plain(data)
    for name, target in (
        ("a", "knowledge.json"),
        ("b", "../outside"),
        ("c", "/etc/passwd"),
        ("d", "d"),
        ("e", "no such"),
    ):
        (data / name).symlink_to(target)
    (data / "directory").mkdir()
    (data / "to directory").symlink_to("directory")
    os.link(data / "knowledge.json", data / "hard link.json")


def modes(data: Path) -> None:
    for mode in (0o000, 0o400, 0o444, 0o600, 0o640, 0o666, 0o755, 0o4755, 0o2755):
        path = data / f"{mode:04o}.json"
        path.write_text("{}")
        path.chmod(mode)
    for mode in (0o500, 0o700, 0o1777, 0o2775):
        path = data / f"directory {mode:04o}"
        path.mkdir()
        (path / "x.json").write_text("[]")
        path.chmod(mode)


def times(data: Path) -> None:
    plain(data)
    moments = (0, 1, 1_000_000_007, 999_999_999_999_999_999, 4_102_444_800_000_000_001, -1_500_000_000_000_000_000)
    for number, moment in enumerate(moments):
        path = data / f"{number}.json"
        path.write_text("{}")
        os.utime(path, ns=(moment, moment))


def deep(data: Path) -> None:
    path = data
    for number in range(40):
        path = path / f"level {number}"
    path.mkdir(parents=True)
    (path / "end.json").write_text("[]")


def many(data: Path) -> None:
    for number in range(2000):
        (data / f"{number}.json").write_text(str(number))


def large_and_sparse(data: Path) -> None:
    (data / "large.json").write_text('"' + "橋梁 " * 3_000_000 + '"')
    with open(data / "sparse.bin", "wb") as file:
        file.truncate(50 << 20)
    (data / "empty.json").write_text("")


def owners(data: Path) -> None:
    plain(data)
    os.chown(data / "knowledge.json", 12345, 54321)
    os.chown(data, 65534, 65534)


DIRECTORIES = {
    "empty_directory": lambda _data: None,
    "odd_file_names": odd_names,
    "links": links,
    "file_modes": modes,
    "file_times": times,
    "deep_directories": deep,
    "two_thousand_files": many,
    "large_and_sparse_files": large_and_sparse,
    "foreign_owners": owners,
}
