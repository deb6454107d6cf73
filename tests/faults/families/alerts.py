"""Who hears of a failure: channels that refuse, hang or are down, and the dead man's switch."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from random import Random

import aftermath
from family import family
from findings import Finding, SilentLoss, Unreached, need
from server import free_port
from world import Result, World

from families.kills import table_locked

_CHANNELS = (
    "mail refused",
    "webhook fails",
    "mail down",
    "webhook down",
    "apprise broken",
    "file gone",
    "webhook hangs",
)


def _broken_source(world: World, random: Random) -> str:
    """Let the next backup fail; returns a word that the alert must hold."""
    if random.random() < 0.5:
        world.write_env(world.url(port=1))
        return "port 1"
    os.rename(world.data, f"{world.data}.away")
    return str(world.data)


def _mend(world: World) -> None:
    world.write_env(world.url())
    if not world.data.exists():
        os.rename(f"{world.data}.away", world.data)


@family("alert.channels", 42, 1, "a channel that refuses, hangs or is down while a backup fails: the other is told")
def channels(world: World, random: Random, number: int) -> tuple[str, str]:
    what = _CHANNELS[number % len(_CHANNELS)]
    world.watch(True)
    world.fresh()
    alerts = world.alerts
    before = aftermath.Before(world, world.advance())
    word = _broken_source(world, random)
    listed = alerts.path.read_text()
    try:
        if what == "mail refused":
            alerts.smtp.refusal = random.choice(("550 no such user", "554 rejected", "452 full"))
        elif what == "webhook fails":
            alerts.http.status = random.choice((500, 503, 404))
        elif what == "webhook hangs":
            alerts.http.hangs = True
        elif what == "apprise broken":
            alerts.spoil()
        elif what == "file gone":
            alerts.path.unlink()
        else:
            _redirect(world, alerts.smtp.port if what == "mail down" else alerts.http.port)
        result = world.run("backup", timeout=150)
    finally:
        told = {"mail": alerts.mailed(), "webhook": alerts.hooked()}
        alerts.path.write_text(listed)
        alerts.path.chmod(0o600)
        if what == "webhook hangs":
            alerts.release()
    need(result.code == 1, SilentLoss, f"exit {result.code}: {result.out[-300:]}")
    broken = [name for name in told if what.startswith(name)]
    working = [name for name in told if name not in broken] if what not in ("apprise broken", "file gone") else []
    for name in working:
        fitting = [one for one in told[name] if one.startswith("FAILED") and word in one and "exit code 1" in one]
        need(fitting, SilentLoss, f"{what}: the other channel was told only {told[name]}")
    # What could not be told must be seen: in the log, and by whoever asks for the state.
    log = world.log.read_text()
    need("watching: alert" in log or "watching: alerts_config" in log, SilentLoss, f"the log is silent: {log[-400:]}")
    need("alert" in world.run("check").out, SilentLoss, "check does not say that nobody was told")
    _mend(world)
    world.watched = False
    _undisturbed(world, before, result)
    return f"backup fails, {what}: the others are told, the log and check say it", f"told: {working}"


def _redirect(world: World, port: int) -> None:
    """Let the channel that leads to ``port`` lead to where nobody listens."""
    path = world.alerts.path
    path.write_text(path.read_text().replace(f":{port}/", f":{free_port()}/"))


def _undisturbed(world: World, before: aftermath.Before, result: Result) -> None:
    aftermath.disturbed(before, result)
    world.configure()
    aftermath.recovers(before)


_ENDINGS = ("success", "failure", "killed", "down", "fails", "terminated")


@family("alert.heartbeat", 18, 1, "the dead man's switch: it hears of the beginning and of the end, or of no end")
def heartbeat(world: World, random: Random, number: int) -> tuple[str, str]:
    what = _ENDINGS[number % len(_ENDINGS)]
    world.watch(True)
    world.fresh()
    sink = world.alerts.http
    port = free_port() if what == "down" else sink.port
    world.configure(heartbeat_url=f"http://127.0.0.1:{port}/ping/uuid", url=world.url(port=1) if what == "failure" else
                    world.url())  # fmt: skip
    before = aftermath.Before(world, world.advance())
    if what == "fails":
        sink.status = 500
    if what in ("killed", "terminated"):
        result = _stopped(world, signal.SIGKILL if what == "killed" else signal.SIGTERM)
    else:
        result = world.run("backup")
    pings = [one.path.partition("?")[0] for one in sink.requests if one.path.startswith("/ping/")]
    expected = {
        "success": (0, ["/ping/uuid/start", "/ping/uuid/0"]),
        "failure": (1, ["/ping/uuid/start", "/ping/uuid/1"]),
        "killed": (-9, ["/ping/uuid/start"]),
        "terminated": (130, ["/ping/uuid/start", "/ping/uuid/130"]),
        "down": (0, []),
        "fails": (0, pings),
    }[what]
    need(result.code == expected[0], Finding, f"{what}: exit {result.code}: {result.err[-300:]}")
    need(pings == expected[1] and (pings or what == "down"), SilentLoss, f"{what}: the pings are {pings}")
    if what in ("down", "fails"):
        need("watching: heartbeat" in world.log.read_text(), SilentLoss, "the log does not say that pings fail")
        need("heartbeat" in world.run("check").out, SilentLoss, "check does not say that pings fail")
    world.watched = False
    outcome = aftermath.disturbed(before, result, died=result.code < 0)
    sink.status = 200
    world.configure()
    aftermath.recovers(before)
    return f"{what}: pings {expected[1]}, the backup's result is its own", outcome


def _stopped(world: World, which: int) -> Result:
    """A backup that is ended while it waits for a table."""
    begun = time.monotonic()
    with table_locked(world) as blocked:
        process = world.start("backup")
        blocked(process)
        process.send_signal(which)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
    result = world.finish(process, begun)
    if result.code == 0:
        raise Unreached("the run came to its end")
    return result
