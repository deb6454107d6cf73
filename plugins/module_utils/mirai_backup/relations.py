# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The relations of a database that a fingerprint is about, and those that it has to leave out."""

from __future__ import annotations

from .postgres import Session, identifier

# Rows of a hash partition may lie in another one after a restore (the hash of an enum is that of its number), so the
# topmost hash-partitioned table stands for its partitions.
# A table that inherits may have its columns in another order after a restore: they are taken by name.
# ``hashed`` is a row whose long texts are hashes already: to quote and copy them is half of a fingerprint's time.
# A materialized view is unsteady where its REFRESH may come to something else than its definition does now: it reads
# another one, which may be stale, or a function whose result is not of the tables alone.
_SQL = """
WITH RECURSIVE hashed AS (
  SELECT p.relid::oid AS oid, bool_or(a.relid <> p.relid) AS below
    FROM (SELECT c.oid AS relid FROM pg_class c WHERE c.relispartition OR c.relkind = 'p') p,
         LATERAL pg_partition_ancestors(p.relid) a JOIN pg_partitioned_table t ON t.partrelid = a.relid
   WHERE t.partstrat = 'h' GROUP BY 1),
reads AS (
  SELECT c.oid AS view, c.oid AS relation FROM pg_class c WHERE c.relkind = 'm'
  UNION
  SELECT s.view, d.refobjid FROM reads s JOIN pg_rewrite r ON r.ev_class = s.relation
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class c ON c.oid = d.refobjid AND c.relkind IN ('v', 'm', 'f')),
unsteady AS (
  SELECT s.view FROM reads s JOIN pg_class c ON c.oid = s.relation LEFT JOIN pg_rewrite r ON r.ev_class = c.oid
   WHERE (c.relkind = 'm' AND c.oid <> s.view) OR c.relkind = 'f'
      OR r.ev_action::text ~ 'SQLVALUEFUNCTION|NEXTVALUEEXPR'
      OR EXISTS (SELECT FROM regexp_matches(r.ev_action::text, ':(?:funcid|opfuncid|aggfnoid|winfnoid) (\\d+)', 'g') f
                   JOIN pg_proc p ON p.oid = f[1]::oid JOIN pg_language l ON l.oid = p.prolang
                  WHERE p.provolatile = 'v' OR (p.provolatile = 's' AND (l.lanname NOT IN ('internal', 'c')
                        OR p.proname ~ '^(now|transaction_timestamp|age|current_|session_|pg_|has_|version|txid_)'))))
SELECT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.relispopulated AS populated,
       pg_relation_size(c.oid) AS size, pg_get_viewdef(CASE WHEN c.relkind = 'm' THEN c.oid END) AS definition,
       CASE WHEN o.by_name THEN r.columns END AS columns, r.hashed,
       c.oid IN (SELECT view FROM unsteady) AS unsteady, e.oid IS NOT NULL AS owned_by_extension,
       (SELECT e.extcondition[p] FROM generate_subscripts(e.extconfig, 1) p WHERE e.extconfig[p] = c.oid) AS condition
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN hashed h ON h.oid = c.oid
  CROSS JOIN LATERAL (
    SELECT NOT c.relispartition AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)) o(by_name)
  CROSS JOIN LATERAL (
    SELECT 'ROW(' || string_agg(q.name, ', ' ORDER BY q.place, q.attnum) || ')',
           'ROW(' || string_agg(CASE WHEN q.is_text THEN 'hashtextextended(' || q.name || '::text COLLATE "C", 0)'
                                     ELSE q.name END, ', ' ORDER BY q.place, q.attnum) || ')'
      FROM (SELECT 'mirai_row.' || quote_ident(a.attname) AS name, CASE WHEN o.by_name THEN a.attname END AS place,
                   a.attnum, a.atttypid IN ('text'::regtype, 'varchar'::regtype, 'json'::regtype, 'jsonb'::regtype,
                                            'bytea'::regtype) AS is_text
              FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
               AND c.relkind IN ('r', 'p')) q) r(columns, hashed)
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  LEFT JOIN pg_extension e ON e.oid = d.refobjid
 WHERE (c.relkind IN ('r', 'm', 'f', 'S') OR (c.relkind = 'p' AND h.below IS NOT NULL)) AND c.relpersistence <> 't'
   AND NOT coalesce(h.below, false) AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 ORDER BY pg_relation_size(c.oid) DESC, 1, 2
"""


def find(session: Session) -> list[dict]:
    """Tables, materialized views, foreign tables and sequences, the largest first."""
    return session.query(_SQL)


def name(relation: dict) -> str:
    """``schema.name``; a part that holds a dot is quoted, so that no two relations have the same."""
    parts = (relation["schema"], relation["name"])
    return ".".join(identifier(one) if "." in one or '"' in one else one for one in parts)


def why_excluded(relation: dict) -> str:
    """Why a fingerprint cannot speak for the relation; empty where it can."""
    if relation["kind"] == "f":
        return "foreign table: its rows live elsewhere"
    if relation["unsteady"]:
        return "materialized view: what REFRESH makes of it does not follow from the tables alone"
    if relation["owned_by_extension"] and relation["condition"] is None:
        return "belongs to an extension, which brings its content"
    return ""
