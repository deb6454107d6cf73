"""Stand-ins for a PostgreSQL server: they keep what they are told and answer what a test wants."""

from __future__ import annotations

from dataclasses import dataclass, field

from fake_postgresql import SERVER
from mirai_backup import target
from mirai_backup.clients import Clients
from mirai_backup.dburl import Connection
from mirai_backup.postgres import Server

CLIENTS = Clients("/usr/lib/postgresql/15/bin", "15.14")


def server(**values) -> Server:
    """What a server says of itself."""
    return Server(**{**SERVER, **values})


@dataclass
class Answers:
    """Answers a statement with the rows, or the error, of the first word that is in it; else with nothing."""

    by_word: dict = field(default_factory=dict)
    said: list = field(default_factory=list)

    def __call__(self, sql: str) -> list:
        self.said.append(sql)
        for word, answer in self.by_word.items():
            if word in sql:
                if isinstance(answer, Exception):
                    raise answer
                return answer(sql) if callable(answer) else answer
        return []


@dataclass(frozen=True)
class Target(target.DatabaseTarget):
    """A target without a server behind it: every query and statement goes to ``answers``."""

    admin: Connection = Connection(user="postgres", database="postgres")
    clients: Clients = CLIENTS
    server: Server = field(default_factory=server)
    live: str = "mirai"
    exists: bool = True
    answers: Answers = field(default_factory=Answers)

    def query(self, sql: str, database: str = "") -> list:
        return self.answers(sql)

    def execute(self, sql: str, database: str = "") -> str:
        return str(self.answers(sql) or "")


class Session:
    """In place of ``postgres.Session``: ``Session.on(answers)`` is what to put there."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    @classmethod
    def on(cls, answers: Answers):
        return lambda *_arguments, **_options: cls(answers)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_exception: object) -> None:
        return None

    def commit(self) -> None:
        self._answers("COMMIT")

    def end(self) -> None:
        getattr(self._answers, "end", lambda: None)()

    def query(self, sql: str, _parse_float: object = float) -> list:
        return self._answers(sql)

    def execute(self, sql: str) -> None:
        self._answers(sql)
