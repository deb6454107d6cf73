"""Copies elsewhere: uploads that are killed, and S3 and SFTP servers that misbehave."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from random import Random

import aftermath
import away
from bad_server import BadServer
from family import family
from findings import Finding, Harm, SilentLoss, Unreached, need
from proxy import Proxy
from world import Result, World

from families.kills import CALLS, HEAVY, learnt, strike

_HALVES = (("--json-only",), ("--json-only",), ("--db-only",), ())


@family("offsite.kill.calls", 30, 1, "SIGKILL at a system call of a push")
def kill_at_call(world: World, random: Random, number: int) -> tuple[str, str]:
    kind = ("directory", "s3", "sftp")[number % 3]
    half = random.choice(_HALVES)

    with away.store(world, kind) as store:

        def prepare(_world: object = None) -> aftermath.Before:
            store.reset()
            world.configure()
            before = aftermath.Before(world, world.advance())
            world.succeed("backup", *half)
            aftermath.judge(before, before.new())
            before.manifests = set(world.manifests())
            before.held = world.held()
            before.latest = (world.repository / "LATEST_BACKUP.txt").read_bytes()
            store.configure()
            return before

        # rclone is left alone: it dies in the cases below, and its many threads are slow to trace.
        known = learnt(world, f"push {kind} {half}", ("push",), prepare, children=False)
        names = HEAVY if random.random() < 0.7 else CALLS
        before, result, line, fault = strike(
            world, random, ("push",), known, prepare, None, names, "signal=KILL", children=False
        )
        died = result.code < 0
        need(world.held() == before.held, Harm, "a push has changed what lies here")
        shipped = store.judge(before)
        if not died:
            aftermath.words(result)
            if result.code == 0:
                store.whole()
        world.settled()
        away.catches_up(store, before)
    return f"push to {kind} killed at {fault}: whole or nothing there, next run ships", f"{shipped}: {line[:80]}"


@family("offsite.kill.random", 30, 1, "SIGKILL at a random time of an upload: the engine, rclone, or the server")
def kill_at_random(world: World, random: Random, number: int) -> tuple[str, str]:
    kind = ("s3", "sftp", "directory")[number % 3]
    victim = ("engine", "rclone", "server" if kind != "directory" else "engine")[number // 3 % 3]
    half = random.choice(_HALVES)
    with away.store(world, kind) as store:
        before = store.reset(large=random.randint(500_000, 2_500_000), **away.bandwidth())
        begun = time.monotonic()
        process = world.start("backup", *half)
        uploads = _until_uploading(world, process, begun)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(random.uniform(0, 1.2))
        if process.poll() is not None:
            world.finish(process, begun)
            raise Unreached("the upload had ended before")
        if victim == "engine":
            process.send_signal(signal.SIGKILL)
        elif victim == "server":
            store.storage.kill()
        else:
            _kill(_uploading(world) or uploads)
        result = world.finish(process, begun)
        world.settled()
        outcome = away.disturbed(store, before, result, died=result.code < 0)
        if store.storage.process is None and kind != "directory":
            store.storage.start()
        store.configure()
        away.catches_up(store, before, "--json-only")
    return f"{victim} killed in an upload to {kind}: whole or nothing there, next run ships", outcome


_FAULTS = (
    "500", "503", "403", "200 error", "lost", "short", "flipped", "cut", "cut after", "half", "hangs", "slow",
)  # fmt: skip
_ON_READING = ("500", "503", "403", "cut", "half", "hangs", "slow")


@family("offsite.s3", 72, 2, "an S3 server that answers 500, success with an error, stores less, is slow, cuts")
def s3_misbehaves(world: World, random: Random, number: int) -> tuple[str, str]:
    return http(world, random, "s3", _FAULTS[number % len(_FAULTS)])


_WITHOUT_DIGESTS = ("flipped", "lost", "short", "500", "cut", "200 error")


@family("offsite.webdav", 24, 1, "a WebDAV server, which tells no digests, and keeps other bytes, fewer, or none")
def webdav_misbehaves(world: World, random: Random, number: int) -> tuple[str, str]:
    return http(world, random, "webdav", _WITHOUT_DIGESTS[number % len(_WITHOUT_DIGESTS)])


def http(world: World, random: Random, kind: str, what: str) -> tuple[str, str]:
    """A backup shipped to a server of ``kind`` (s3, webdav) that does ``what`` to some of the requests."""
    writes = what not in _ON_READING or random.random() < 0.7
    methods = ("PUT",) if writes else ("GET", "HEAD")
    only = random.choice((".manifest.json", ".tar.gz", "")) if writes else ""
    first, last = (1, 10**6) if random.random() < 0.6 else (random.randint(1, 2), random.randint(2, 3))
    half = random.choice(_HALVES)
    turn, guard = [0], threading.Lock()

    def fault(method: str, path: str) -> str:
        with guard:
            turn[0] += method in methods and only in path
            return what if method in methods and only in path and first <= turn[0] <= last else ""

    with away.store(world, kind) as store:
        before = store.reset()
        with BadServer(store.storage.port, fault) as bad:
            # A server that hangs is given up after this, three times a request.
            store.configure(bad.port, timeout=2 if what == "hangs" else 20)
            result = world.run("backup", *half, timeout=150)
            hits = bad.hits
        if not hits:
            raise Unreached("no request was hit")
        world.settled()
        outcome = away.disturbed(store, before, result)
        store.configure()
        away.catches_up(store, before, "--json-only")
    return f"{kind}, {hits} of {'/'.join(methods)} {only}: {what}: named or made good, nothing half there", outcome


_LINES = ("cut", "cut once", "slow", "down", "other key", "no directory", "cut", "full")


@family("offsite.sftp", 40, 1, "an SFTP server that is slow, cuts the line, is not there, or is another one")
def sftp_misbehaves(world: World, random: Random, number: int) -> tuple[str, str]:
    return sftp(
        world, random, ("cut", "cut once", "slow", "down", "other key", "no directory", "cut", "full")[number % 8]
    )


def sftp(world: World, random: Random, what: str) -> tuple[str, str]:
    """A backup shipped to an SFTP server that misbehaves."""
    half = random.choice(_HALVES)
    with away.store(world, "sftp") as store, contextlib.ExitStack() as cleanup:
        before = store.reset(large=400_000 if what == "full" else random.choice((0, 400_000)))
        proxy = None
        if what in ("cut", "cut once"):
            # Beyond the greetings of the first connections, some of them within an upload.
            after = int(10 ** random.uniform(3.5, 5.5))
            proxy = Proxy(store.storage.port, cut_after=after, sent=random.random() < 0.7, once=what == "cut once")
        elif what == "slow":
            proxy = Proxy(store.storage.port, delay=random.uniform(0.003, 0.02))
        elif what == "down":
            store.storage.kill()
        elif what == "other key":
            known = store.storage.directory / "known"
            store.configure()
            other = world.directory / "other-key"
            for path in world.directory.glob("other-key*"):
                path.unlink()
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
            kind, key = Path(f"{other}.pub").read_text().split()[:2]
            known.write_text(f"[127.0.0.1]:{store.storage.port} {kind} {key}\n")
        elif what == "full":
            # Nothing of the store may be left aside: the server's file system takes no more.
            _full(store, cleanup)
        elif what == "no directory":
            _restarted(store)
            os.rename(store.storage.top(), f"{store.storage.top()}.moved")
        if proxy is not None:
            store.configure(cleanup.enter_context(proxy).port)
        result = world.run("backup", *half, timeout=150)
        if proxy is not None and what != "slow" and not proxy.cut:
            raise Unreached(f"only {proxy.passed} bytes were passed on")
        if what == "no directory":
            need(not store.storage.top().exists(), Finding, "the store's directory was made: it may be a mount")
            os.rename(f"{store.storage.top()}.moved", store.storage.top())
            _restarted(store)
        world.settled()
        if what not in ("slow", "cut once"):
            need(result.code == 3, SilentLoss, f"{what}: exit {result.code}: {result.out[-300:]}")
        outcome = away.disturbed(store, before, result)
        cleanup.close()
        if what == "down":
            store.storage.start()
        store.configure()
        away.catches_up(store, before, "--json-only")
    return f"SFTP, {what}: named or made good, nothing half there", outcome


def _restarted(store: away.Away) -> None:
    """Start the server anew: it remembers for minutes which directories there are."""
    store.storage.kill()
    store.storage.start()


def _full(store: away.Away, cleanup: contextlib.ExitStack) -> None:
    """Put what the store holds on a file system that has but little room left."""
    top = store.storage.top()
    content = sum(path.stat().st_size for path in top.rglob("*") if path.is_file())
    store.storage.kill()
    aside = Path(f"{top}.aside")
    os.rename(top, aside)
    top.mkdir()
    size = content // 4096 * 4096 + 64 * 4096
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", top], check=True)

    def back() -> None:
        store.storage.kill()
        subprocess.run(["cp", "-a", f"{top}/.", aside], check=True)
        subprocess.run(["umount", top], check=True)
        top.rmdir()
        os.rename(aside, top)
        store.storage.start()

    cleanup.callback(back)
    subprocess.run(["cp", "-a", f"{aside}/.", top], check=True)
    free = os.statvfs(top)
    (top / ".ballast").write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - 2 * 4096)))
    cleanup.callback((top / ".ballast").unlink)
    store.storage.start()


def _until_uploading(world: World, process: subprocess.Popen, begun: float) -> list[int]:
    """The processes that upload, as soon as there are some."""
    while True:
        found = _uploading(world)
        if found:
            return found
        if process.poll() is not None:
            result: Result = world.finish(process, begun)
            raise Unreached(f"no upload was seen, exit {result.code}")
        time.sleep(0.005)


def _uploading(world: World) -> list[int]:
    return [int(line.split()[0]) for line in world.processes() if " copyto " in line]


def _kill(processes: list[int]) -> None:
    for one in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
