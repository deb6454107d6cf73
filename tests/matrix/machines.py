"""The machines of the matrix: containers for controllers and targets in a network of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NETWORK = "mirai-matrix"
BIN = "/opt/controller/bin/"
# systemd as PID 1, as .config/molecule/config.yml has it and why.
_SYSTEMD = (
    *("--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cgroupns", "host"),
    *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
    *("--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "--tmpfs", "/run", "--tmpfs", "/run/lock"),
    *("--env", "container=docker", "--env", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"),
)
_BUILDING = threading.Lock()
# As in the scenarios: a task takes fewer connections.
_ENVIRONMENT = ("--env", "ANSIBLE_PIPELINING=true", "--env", "ANSIBLE_NOCOLOR=true")


class Broken(Exception):
    """A machine could not be brought up, or what was asked of it failed; the message holds what it said."""


@dataclass(frozen=True)
class Machine:
    """A container by its name, which is also its name in the network."""

    name: str

    def run(self, *argv: str, data: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program there, as root, whatever it ends with."""
        return _docker("exec", "--interactive", *_ENVIRONMENT, self.name, *argv, data=data)

    def ask(self, *argv: str, data: str = "") -> str:
        """What a program there says. Raises Broken when it fails."""
        done = self.run(*argv, data=data)
        if done.returncode:
            raise Broken(f"{self.name}: {' '.join(argv)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout


def clear() -> None:
    """Remove every container of the matrix, and its network."""
    names = _must("ps", "--all", "--quiet", "--filter", f"network={NETWORK}").split()
    if names:
        _must("rm", "--force", "--volumes", *names)
    if NETWORK in _must("network", "ls", "--format", "{{.Name}}").split():
        _must("network", "rm", NETWORK)


def network() -> None:
    """Make the network that controllers find targets in by name."""
    _must("network", "create", NETWORK)


def remove(machines: list[Machine]) -> None:
    """Take machines away that have served."""
    _must("rm", "--force", "--volumes", *(machine.name for machine in machines))


def controller(name: str, suite: str, core: str, artifact: Path) -> Machine:
    """A controller on Debian ``suite`` with ``core`` (a requirement), and the collection from its artifact."""
    image = _image("controller", f"mirai-test:{suite}")
    # The playbook that prepares a server, and what it brings: of the tests, and nothing of the collection.
    volumes = [
        f"{artifact}:/matrix/{artifact.name}:ro",
        f"{ROOT}/molecule:/matrix/molecule:ro",
        f"{ROOT}/tests/fixtures:/matrix/tests/fixtures:ro",
    ]
    environment = {key: value for key, value in os.environ.items() if key in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")}
    certificates = os.environ.get("PIP_CERT")
    if certificates:
        volumes.append(f"{certificates}:/etc/pip.pem:ro")
        environment["PIP_CERT"] = "/etc/pip.pem"
    options = [word for volume in volumes for word in ("--volume", volume)]
    options += [word for pair in environment.items() for word in ("--env", "=".join(pair))]
    machine = Machine(f"{NETWORK}-{name}-controller")
    _start(machine, image, *options, command=("sleep", "infinity"))
    machine.ask("python3", "-m", "venv", "/opt/controller")
    machine.ask(f"{BIN}pip", "install", "--quiet", core)
    machine.ask(f"{BIN}ansible-galaxy", "collection", "install", "--offline", f"/matrix/{artifact.name}")
    machine.ask("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/.ssh/id_ed25519")
    return machine


def targets(name: str, suites: list[str], key: str) -> list[Machine]:
    """Servers with the distribution's PostgreSQL and sshd, one a suite, that let ``key`` in as ``deploy``."""
    machines = [Machine(f"{NETWORK}-{name}-{suite}") for suite in suites]
    for machine, suite in zip(machines, suites):
        _start(machine, _image("target", f"mirai-test:{suite}-postgresql"), *_SYSTEMD)
    for machine in machines:
        _until_served(machine)
        machine.ask("runuser", "-u", "deploy", "--", "tee", "/home/deploy/.ssh/authorized_keys", data=key)
    return machines


def _until_served(machine: Machine, seconds: int = 60) -> None:
    deadline = time.monotonic() + seconds
    while machine.run("systemctl", "is-active", "--quiet", "ssh").returncode:
        if time.monotonic() > deadline:
            raise Broken(f"{machine.name}: no sshd after {seconds} s: {machine.run('journalctl', '-n', '30').stdout}")
        time.sleep(0.5)


def _start(machine: Machine, image: str, *options: str, command: tuple[str, ...] = ()) -> None:
    _must("run", "--detach", "--name", machine.name, "--network", NETWORK, *options, image, *command)


def _image(kind: str, base: str) -> str:
    """The image of ``kind`` on ``base``; Docker's cache knows whether it is there already."""
    name = f"mirai-matrix-{kind}:{base.partition(':')[2]}"
    recipe = (HERE / f"{kind}.Dockerfile").read_text()
    with _BUILDING:  # the second who wants it finds it
        done = _docker("build", "--quiet", "--build-arg", f"BASE={base}", "--tag", name, "-", data=recipe)
    if done.returncode:
        raise Broken(f"image {name}: {done.stdout}{done.stderr}")
    return name


def _must(*argv: str) -> str:
    done = _docker(*argv)
    if done.returncode:
        raise Broken(f"docker {' '.join(argv)}: {done.stderr}")
    return done.stdout


def _docker(*argv: str, data: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(("docker", *argv), input=data, capture_output=True, text=True, check=False)


def artifact(directory: Path) -> Path:
    """The collection as Galaxy gets it, built from this checkout into ``directory``."""
    galaxy = Path(sys.executable).parent / "ansible-galaxy"
    argv = (galaxy, "collection", "build", ROOT, "--output-path", directory)
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Broken(f"the artifact was not built: {done.stdout}{done.stderr}")
    (built,) = directory.glob("mirai-backup-*.tar.gz")
    return built
