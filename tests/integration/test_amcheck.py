"""amcheck finds the row that an index lacks: by its program, and by statement as before PostgreSQL 14."""

import pytest
from mirai_backup import amcheck, config, target
from mirai_backup.errors import EngineError


@pytest.mark.parametrize("program_since", [0, 999999], ids=["by program", "by statement"])
def test_a_row_that_an_index_lacks(app, monkeypatch, program_since):
    monkeypatch.setattr(amcheck, "_PROGRAM_SINCE", program_since)
    reached = target.find(config.load(str(app.config_path)))
    amcheck.check(reached, app.database)
    app.server.psql(
        """
        CREATE SCHEMA "od""d"; CREATE TABLE "od""d".t (a int); CREATE INDEX t_a ON "od""d".t (a);
        UPDATE pg_index SET indisready = false WHERE indexrelid = '"od""d".t_a'::regclass;
        """,
        app.database,
    )
    app.server.psql('INSERT INTO "od""d".t VALUES (1)', app.database)
    app.server.psql('UPDATE pg_index SET indisready = true WHERE indexrelid = \'"od""d".t_a\'::regclass', app.database)
    with pytest.raises(EngineError, match=r"corrupt: .*t_a"):
        amcheck.check(reached, app.database)
