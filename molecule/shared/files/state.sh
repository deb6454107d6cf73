#!/usr/bin/env bash
# Print what the application holds, one line for each table, row count and digest, and one for each file:
# two states are equal if and only if their output is.
set -euo pipefail

app="${1:-/opt/Mirai-Knowledge-Systems}"
url="$(sed -n 's/^DATABASE_URL=//p' "$app/backend/.env")"
readonly app url

psql --no-psqlrc -X -A -t -q -v ON_ERROR_STOP=1 -d "$url" <<'SQL'
SELECT format(
    $$SELECT 'table %1$I.%2$I ' || count(*) || ' ' ||
             md5(coalesce(string_agg(r::text, E'\n' ORDER BY r::text COLLATE "C"), ''))
      FROM %1$I.%2$I AS r$$, schemaname, tablename)
FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
\gexec
SELECT format('sequence %I.%I %s', schemaname, sequencename, last_value) FROM pg_sequences ORDER BY 1;
SQL

cd "$app/backend/data"
find . -type d -printf 'directory %P %m %u:%g\n' | LC_ALL=C sort
find . ! -type d -printf 'file %P %y %m %u:%g %s %l\n' | LC_ALL=C sort
find . -type f -printf 'mtime %P %Ts\n' | LC_ALL=C sort
find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
