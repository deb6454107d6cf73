# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Understands DATABASE_URL exactly as libpq and SQLAlchemy do, or refuses it with words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .errors import ConfigError

_SCHEME = re.compile(r"^(postgres|postgresql)(\+[a-z0-9_]+)?://(.*)$", re.DOTALL)
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_AS_FIELD = {"host": "host", "port": "port", "user": "user", "password": "password", "dbname": "database"}
# The connection keywords of libpq that make sense here (PostgreSQL documentation, 34.1.2).
_PARAMETERS = frozenset(
    "application_name channel_binding client_encoding connect_timeout fallback_application_name gssencmode "
    "gssdelegation hostaddr keepalives keepalives_count keepalives_idle keepalives_interval krbsrvname "
    "load_balance_hosts options passfile require_auth requirepeer ssl_max_protocol_version "
    "ssl_min_protocol_version sslcert sslcertmode sslcompression sslcrl sslcrldir sslkey sslmode "
    "sslnegotiation sslrootcert sslsni target_session_attrs tcp_user_timeout".split()
)


@dataclass(frozen=True)
class Connection:
    """Where a database is and who we are there; ``os_user`` is the account to connect as (peer)."""

    host: str = ""
    port: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    database: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    os_user: str = ""

    @property
    def label(self) -> str:
        """The connection in words, without secrets."""
        where = f"{self.host or 'local socket'}:{self.port or '5432'}"
        return f"database {self.database or '(default)'} at {where} as {self.user or '(default user)'}"

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, as far as one can tell without asking it."""
        host = dict(self.parameters).get("hostaddr", self.host)
        return host in ("", "localhost", "127.0.0.1", "::1") or host.startswith(("/", "@"))

    def conninfo(self) -> str:
        """The connection as a libpq string without the password, safe to show in a process list."""
        pairs = [("host", self.host), ("port", self.port), ("user", self.user), ("dbname", self.database)]
        defaults = [("connect_timeout", "15"), ("keepalives_idle", "60"), ("application_name", "mirai-backup")]
        given = {key for key, _value in self.parameters}
        pairs += [*self.parameters, *(pair for pair in defaults if pair[0] not in given)]
        return " ".join(f"{key}={_quoted(value)}" for key, value in pairs if value)

    def environment(self) -> tuple:
        """What the child's environment must hold: the password, where there is one."""
        return (("PGPASSWORD", self.password),) if self.password else ()


def parse(url: str) -> Connection:
    """Parse a PostgreSQL URL. Raises ConfigError, without the URL's secrets, where it is not one or ambiguous.

    Shapes: ``postgresql[+driver]://[user[:password]@][host[:port]][/database][?key=value&…]``, the host a
    name, an address, an IPv6 address in brackets, several with commas, or a percent-encoded socket directory.
    """
    match = _SCHEME.match(url.strip())
    if match is None:
        scheme = url.split(":", 1)[0] if re.match(r"^[A-Za-z0-9+.-]+:", url) else "no scheme"
        raise _refused(f"it starts with {scheme!r}", "write postgresql://user:password@host:port/database")
    rest, _mark, query = match.group(3).partition("?")
    authority, _slash, database = rest.partition("/")
    if "@" in database or "@" in query.split("&", 1)[0].split("=", 1)[0]:
        raise _refused("its user or password holds a plain / or ?", "write / as %2F and ? as %3F there")
    if authority.count("@") > 1:
        raise _refused("its user or password holds a plain @", "write @ as %40 there")
    credentials, _at, hosts = authority.rpartition("@")
    user, _colon, password = credentials.partition(":")
    host, port = _hosts(hosts)
    fields = {
        "user": _decoded(user),
        "password": _decoded(password),
        "host": host,
        "port": port,
        "database": _decoded(database),
    }
    parameters = []
    for pair in filter(None, query.split("&")):
        key, sign, value = pair.partition("=")
        key, value = _decoded(key), _decoded(value)
        if not sign:
            raise _refused(f"its parameter {key!r} has no value", "write key=value")
        if key in _AS_FIELD:
            fields[_AS_FIELD[key]] = value
        elif key in _PARAMETERS:
            parameters.append((key, value))
        else:
            raise _refused(
                f"its parameter {key!r} is not one that PostgreSQL's client knows or that may be shown",
                "remove it, or name a file (sslkey, passfile) instead of a secret",
            )
    ports = [one for one in fields["port"].split(",") if one]
    if not all(re.fullmatch(r"[0-9]{1,5}", one) and 1 <= int(one) <= 65535 for one in ports):
        raise _refused("its port is not a number from 1 to 65535", "correct the port")
    return Connection(parameters=tuple(parameters), **fields)


def _hosts(text: str) -> tuple[str, str]:
    """Split ``host:port,host:port``; returns the hosts and the ports, each joined by commas."""
    hosts, ports = [], []
    for one in text.split(","):
        match = re.fullmatch(r"(\[[0-9A-Fa-f:.%]+\]|[^:\[\]]*)(?::(.*))?", one)
        if match is None:
            raise _refused("its host is not understood", "write an IPv6 address in brackets: [::1]:5432")
        hosts.append(_decoded(match.group(1).strip("[]")))
        ports.append(match.group(2) or "")
    return ",".join(hosts), ",".join(ports) if any(ports) else ""


def _decoded(text: str) -> str:
    """Undo percent-encoding; a plus sign stays a plus sign."""
    if _PERCENT.search(text):
        raise _refused("it has a percent sign that is not followed by two hexadecimal digits", "write it as %25")
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda one: bytes([int(one.group(1), 16)]), text.encode("utf-8"))
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused("its percent-encoded bytes are not UTF-8", "encode the UTF-8 bytes") from error
    if "\0" in decoded or "\n" in decoded:
        raise _refused("it holds a zero byte or a line break", "remove it")
    return decoded


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _refused(why: str, next_step: str) -> ConfigError:
    return ConfigError(f"DATABASE_URL is not usable: {why}", next_step)
