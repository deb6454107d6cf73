"""Bombs in sealed sets whose every digest fits: refused before they have filled a disk."""

from __future__ import annotations

import gzip
import io
import itertools
import tarfile
import threading
from random import Random

from family import family
from findings import Finding, SilentLoss, need
from sealed import Sealed
from world import World

from families.hostile_archives import Watched, refused


@family("hostile.bombs", 40, 1, "archives and dumps that unpack to far more than they say")
def bomb(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    watched = Watched(world)
    what = number % 4
    half = "database" if what == 3 else "json"
    target = Sealed([path for path in world.manifests() if path.parent.name == half][-1])
    size = random.choice((50, 100, 200)) << 20
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as stream:
        if what == 0:
            info = tarfile.TarInfo("data/bomb")
            info.size = size
            stream.write(info.tobuf(tarfile.GNU_FORMAT))
        elif what == 1:
            stream.write(target.part("json"))
        for _block in range(size >> 20):
            stream.write(bytes(1 << 20))
    said = ("a file of zeros", "zeros after the archive's end", "zeros alone", "zeros for a dump")[what]
    target.reseal("db" if what == 3 else "json", packed.getvalue())
    watch = _Peak(world)
    watch.start()
    try:
        if what == 1:  # the archive itself is whole: zeros after its end mean nothing to tar
            result = world.run("restore", target.id, "--json-only")
            need(result.code in (0, 1, 2), Finding, f"exit {result.code}")
            need(result.code != 0 or world.truth().files == world.base_truth.files, SilentLoss, "restored otherwise")
            watched_outcome = f"exit {result.code}, files as they were backed up"
        else:
            watched_outcome = refused(world, watched, target, ("--db-only",) if what == 3 else ("--json-only",), said)
    finally:
        most = watch.stop()
    need(most < 20 << 20, Finding, f"{most} bytes were written for a backup that says far less")
    return (
        f"{said}, {size >> 20} MiB: refused before the disk is full",
        f"{watched_outcome}, {most} bytes written at most",
    )


class _Peak:
    """The largest size that what is made beside the live halves reached, looked at every hundredth of a second."""

    def __init__(self, world: World) -> None:
        self._world, self._most, self._over = world, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.start = self._thread.start

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            size = 0
            beside = (self._world.backend.glob("data_*/**/*"), self._world.repository.glob(".staging/**/*"))
            for path in itertools.chain(*beside):
                try:
                    size += path.lstat().st_size
                except FileNotFoundError:
                    continue
            self._most = max(self._most, size)

    def stop(self) -> int:
        """The most bytes seen."""
        self._over.set()
        self._thread.join()
        return self._most
