"""The kinds of sabotage. Each does its damage to a copy of a good backup and says what the drill has to name."""

from __future__ import annotations

import gzip
from typing import Callable

import place
from sealed import Sealed, another, swap

KINDS: dict[str, tuple[Callable, str]] = {}


def kind(names: str) -> Callable:
    """Register a sabotage; ``names`` is the pattern of the line in which the drill names it."""

    def register(function: Callable) -> Callable:
        KINDS[function.__name__] = (function, names)
        return function

    return register


def statement(name: str, sql: str, names: str, *options: str) -> None:
    """Register a sabotage of the database's content: another dump, sealed as if it were the one."""
    KINDS[name] = (lambda backup, _repository: backup.change_database(sql, *options), names)


ARCHIVE = r"mirai_full_\d{8}_\d{6}(\.tar\.gz)?"

statement("row_changed", "UPDATE people SET note = 'x' || note WHERE id = 77", "table public.people has other content")
statement("one_letter_changed", "UPDATE audit.log SET what = 'e9' WHERE ctid = '(0,7)'", "table audit.log has other")
statement("null_for_empty", "UPDATE people SET note = NULL WHERE id = 9", "table public.people has other content")
statement("row_removed", "DELETE FROM audit.log WHERE ctid = '(0,1)'", "table audit.log has 899 rows instead of 900")
statement("row_doubled", "INSERT INTO audit.log SELECT * FROM audit.log LIMIT 1", "table audit.log has 901 rows")
statement(
    "row_doubled_another_dropped",
    "DELETE FROM audit.log WHERE ctid = '(0,1)'; INSERT INTO audit.log SELECT * FROM audit.log WHERE ctid = '(0,2)'",
    "table audit.log has other content in its 900 rows",
)
statement(
    "rows_swapped_between_tables",
    "UPDATE letters SET body = 'draft 5' WHERE id = 5; UPDATE drafts SET body = 'letter 5' WHERE id = 5",
    "table public.letters has other content",
)
statement("table_emptied", "TRUNCATE audit.log", "table audit.log has 0 rows instead of 900")
statement("table_removed", "DROP TABLE public.drafts", "table public.drafts is missing")
statement("table_added", "CREATE TABLE public.extra (id int)", "table public.extra is there, but was not")
statement("sequence_set_back", "SELECT setval('people_id_seq', 1)", "sequence public.people_id_seq stands at 1 instead")
statement("sequence_set_ahead", "SELECT setval('people_id_seq', 9000)", "sequence public.people_id_seq stands at 9000")
statement("large_object_changed", "SELECT lo_put(777001, 500, '\\x00')", "large objects differ")
statement("large_object_removed", "SELECT lo_unlink(777001)", "large objects differ: 0 instead of 1")
statement("index_removed", "DROP INDEX people_note", "index public.people_note is missing")
statement(
    "constraint_removed", "ALTER TABLE letters DROP CONSTRAINT letters_person_fkey", "letters_person_fkey is miss"
)
statement(
    "default_changed", "ALTER TABLE people ALTER level SET DEFAULT 'major'", r"default public.people.level is def"
)
statement("column_type_changed", "ALTER TABLE people ALTER born TYPE timestamp", "table public.people")
statement(
    "function_changed",
    "CREATE OR REPLACE FUNCTION greeting(who text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'bye ' || who $$",
    r"function public.greeting\(text\) is defined otherwise",
)
statement("schema_only_dump", "", "table public.people has 0 rows instead of 3000", "--schema-only")
statement("data_of_one_table_left_out", "", "table audit.log has 0 rows", "--exclude-table-data=audit.log")


@kind(ARCHIVE + " has 100 bytes instead of")
def truncated_at_the_head(backup: Sealed, _repository: object) -> None:
    backup.archive.write_bytes(backup.content()[:100])


@kind(ARCHIVE + r" has \d+ bytes instead of")
def truncated_in_the_middle(backup: Sealed, _repository: object) -> None:
    content = backup.content()
    backup.archive.write_bytes(content[: len(content) // 2])


@kind(ARCHIVE + r" has \d+ bytes instead of")
def truncated_by_one_byte(backup: Sealed, _repository: object) -> None:
    backup.archive.write_bytes(backup.content()[:-1])


@kind(ARCHIVE + r" has 0 bytes instead of")
def emptied(backup: Sealed, _repository: object) -> None:
    backup.archive.write_bytes(b"")


@kind(ARCHIVE + r" is missing")
def archive_missing(backup: Sealed, _repository: object) -> None:
    backup.archive.unlink()


@kind(ARCHIVE + r" has \d+ bytes instead of")
def byte_appended(backup: Sealed, _repository: object) -> None:
    backup.archive.write_bytes(backup.content() + b"\0")


@kind(ARCHIVE + " is damaged")
def flipped_in_the_header(backup: Sealed, _repository: object) -> None:
    backup.flip(1)


@kind(ARCHIVE + " is damaged")
def flipped_in_the_dump(backup: Sealed, _repository: object) -> None:
    dump = next(content for name, content in backup.members().items() if "/mirai_db_" in name)
    backup.flip(backup.content().find(dump[1000:1032]) + 5 if dump[1000:1032] in backup.content() else 5000)


@kind(ARCHIVE + " is damaged")
def flipped_in_the_files(backup: Sealed, _repository: object) -> None:
    files = backup.members()[list(backup.members())[-1]]
    found = backup.content().find(files[20:52])
    backup.flip(found + 5 if found >= 0 else len(backup.content()) - 200)


@kind(ARCHIVE + " is damaged")
def flipped_in_the_checksum(backup: Sealed, _repository: object) -> None:
    backup.flip(len(backup.content()) - 6)


@kind("database/mirai_db_.* cannot be decoded")
def dump_truncated_and_sealed(backup: Sealed, _repository: object) -> None:
    backup.change_part("database", lambda dump: dump[: len(dump) * 2 // 3])


@kind("table public.people has other content")
def dump_flipped_and_sealed(backup: Sealed, _repository: object) -> None:
    def flipped(dump: bytes) -> bytes:
        assert dump.count(b"note of person 1234 ") == 1
        return dump.replace(b"note of person 1234 ", b"note of person 1235 ")

    backup.change_part("database", flipped)


@kind("database/mirai_db_.* cannot be decoded")
def dump_is_empty_and_sealed(backup: Sealed, _repository: object) -> None:
    backup.change_part("database", lambda _dump: b"")


@kind("database/mirai_db_.* is missing")
def archive_empty_and_sealed(backup: Sealed, _repository: object) -> None:
    backup.archive.write_bytes(gzip.compress(bytes(10240)))
    backup.reseal()


@kind("data/knowledge.json has another sha256")
def file_changed(backup: Sealed, _repository: object) -> None:
    def change(files: dict) -> None:
        files["data/knowledge.json"][1] = files["data/knowledge.json"][1].replace(b"1", b"2", 1)

    backup.change_files(change)


@kind("data/sub/notes.json has another size")
def file_grown(backup: Sealed, _repository: object) -> None:
    def change(files: dict) -> None:
        files["data/sub/notes.json"][1] += b"\n"

    backup.change_files(change)


@kind("where the manifest says data/experts.json")
def file_missing(backup: Sealed, _repository: object) -> None:
    backup.change_files(lambda files: files.pop("data/experts.json"))


@kind("data/extra.json")
def file_added(backup: Sealed, _repository: object) -> None:
    def change(files: dict) -> None:
        info, data = files["data/knowledge.json"]
        other = info.replace(name="data/extra.json")
        files["data/extra.json"] = [other, data]

    backup.change_files(change)


@kind("data/experts.json has another mode")
def mode_changed(backup: Sealed, _repository: object) -> None:
    def change(files: dict) -> None:
        files["data/experts.json"][0].mode = 0o666

    backup.change_files(change)


@kind("data/latest.json has another target")
def link_bent(backup: Sealed, _repository: object) -> None:
    def change(files: dict) -> None:
        files["data/latest.json"][0].linkname = "/etc/passwd"

    backup.change_files(change)


@kind(r"manifest .*: it is not written as the engine writes|manifest .*its digest does not fit")
def manifest_edited(backup: Sealed, _repository: object) -> None:
    text = backup.manifest.read_text()
    assert text.count('"rows": 3000') == 1
    backup.manifest.write_text(text.replace('"rows": 3000', '"rows": 2999'))


@kind("data/experts.jsom")
def list_of_files_edited(backup: Sealed, _repository: object) -> None:
    text = backup.manifest.read_text()
    assert text.count("data/experts.json") + text.count('"experts.json"') == 1
    backup.manifest.write_text(text.replace("experts.json", "experts.jsom"))


@kind(r"manifest .* ends too early|manifest .*")
def manifest_truncated(backup: Sealed, _repository: object) -> None:
    content = backup.manifest.read_bytes()
    backup.manifest.write_bytes(content[: len(content) // 2])


@kind("belongs to another backup")
def manifest_of_another_backup(backup: Sealed, repository: object) -> None:
    swap(backup.manifest, another(repository, backup).manifest)


@kind(ARCHIVE + " (is damaged|has)")
def archive_of_another_backup(backup: Sealed, repository: object) -> None:
    swap(backup.archive, another(repository, backup).archive)


@kind("table public.people has 0 rows|table public.people is missing")
def dump_of_another_database_and_sealed(backup: Sealed, _repository: object) -> None:
    path = backup.archive.parent / "other.dump"
    place.call([f"{place.bindir()}/pg_dump", "-Fc", "-Z0", "-f", path, "-d", place.url("postgres")])
    backup.change_part("database", lambda _dump: path.read_bytes())
    path.unlink()
