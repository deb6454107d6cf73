"""What is noted in a dump is what pg_dump itself notes where it can seek."""

from __future__ import annotations

import subprocess

import pytest
from mirai_backup import dump_offsets, repository, side

# Rows, objects and definitions that hold what ends the rows of a table, and tables of every kind.
_CONTENT = r"""
CREATE TABLE texts (id int, said text);
INSERT INTO texts SELECT i, repeat(md5(i::text), i % 400) || E'\\.\n\n\n' FROM generate_series(1, 5000) i;
CREATE TABLE bytes (b bytea);
INSERT INTO bytes VALUES (decode(repeat('5c2e0a0a0a0000000000', 40000), 'hex'));
CREATE TABLE nothing (x int);
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE parts (k int, v text) PARTITION BY LIST (k);
CREATE TABLE part1 PARTITION OF parts FOR VALUES IN (1);
INSERT INTO parts VALUES (1, 'a');
CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'x' -- \.



$$;
COMMENT ON TABLE texts IS E'\\.\n\n\n';
SELECT lo_from_bytea(0, decode(repeat('5c2e0a0a0a0000000000', 4000), 'hex')) FROM generate_series(1, 3);
"""
_MADE = slice(12, 52)  # when the dump was made


@pytest.fixture
def dumps(tmp_path, server):
    """The dump of one database as pg_dump writes it into a file, and through a pipe."""
    server.psql("CREATE DATABASE offsets")
    server.psql(_CONTENT, "offsets")
    where = ("-h", server.directory, "-p", str(server.port), "-U", "postgres", "-d", "offsets")
    argv = [f"{server.bindir}/pg_dump", *map(str, where), "--format=custom", "--compress=0"]
    subprocess.run([*argv, "-f", str(tmp_path / "file")], check=True)
    piped = subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout
    yield bytearray((tmp_path / "file").read_bytes()), bytearray(piped)
    server.psql("DROP DATABASE offsets")


@pytest.mark.parametrize("size", (7, 4096, 1 << 20))
def test_the_offsets_of_a_piped_dump_are_those_that_pg_dump_notes_in_a_file(tmp_path, dumps, size):
    written, piped = dumps
    path = tmp_path / "piped"
    path.write_bytes(piped)
    ends = dump_offsets.Ends()
    for begin in range(0, len(piped), size):
        ends.look(bytes(piped[begin : begin + size]))
    assert dump_offsets.note(str(path), ends.places) == 6  # tables that are no partitioned ones, and the large objects
    noted = bytearray(path.read_bytes())
    assert noted != piped
    noted[_MADE] = written[_MADE] = b""
    assert noted == written


def test_a_dump_that_was_written_into_a_file_is_left_as_it_is(tmp_path, dumps):
    written, _piped = dumps
    path = tmp_path / "written"
    path.write_bytes(written)
    ends = dump_offsets.Ends()
    ends.look(bytes(written))
    assert dump_offsets.note(str(path), ends.places) == 0
    assert path.read_bytes() == written


def test_what_is_unpacked_is_noted(app, tmp_path):
    app.succeed("backup")
    (backup,) = repository.listing(str(app.repository)).backups
    side.unpack(backup, str(tmp_path), True, None)
    with open(tmp_path / side.DUMP, "rb") as dump:
        assert dict(dump_offsets._missing(dump)) == {}
