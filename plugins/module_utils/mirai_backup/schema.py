# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An inventory of a database's schema: every object by name, with a short digest of its definition."""

from __future__ import annotations

import hashlib

from .postgres import Session

# Objects that an extension brings are left out; the extension itself is listed.
_OURS = (
    "NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '{catalog}'::regclass AND d.objid = {oid}"
    " AND d.deptype = 'e') AND {namespace} NOT IN (SELECT oid FROM pg_namespace"
    " WHERE nspname = 'information_schema' OR nspname ~ '^pg_')"
)

# Rights as a sorted list, the defaults spelled out.
_ACL = (
    "(SELECT string_agg(x::text, ',' ORDER BY x::text COLLATE \"C\")"
    ' FROM unnest(coalesce({acl}, acldefault(({kind})::"char", {owner}))) x) AS definition'
)

# One SELECT a class of objects: name, and what makes up its definition.
_CLASSES = {
    "schema": "SELECT quote_ident(nspname) AS name, pg_get_userbyid(nspowner) AS definition FROM pg_namespace"
    " WHERE " + _OURS.format(catalog="pg_namespace", oid="pg_namespace.oid", namespace="pg_namespace.oid"),
    "extension": "SELECT quote_ident(extname) AS name, '' AS definition FROM pg_extension",
    "table": "SELECT c.oid::regclass::text AS name, concat_ws('|', c.relkind, c.relpersistence, c.relrowsecurity,"
    " c.relforcerowsecurity, pg_get_userbyid(c.relowner), (SELECT string_agg(concat_ws(' ', quote_ident(a.attname),"
    " format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated), ',' ORDER BY a.attnum)"
    " FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)) AS definition"
    " FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND c.relpersistence <> 't' AND "
    + _OURS.format(catalog="pg_class", oid="c.oid", namespace="c.relnamespace"),
    "sequence": "SELECT c.oid::regclass::text AS name, concat_ws('|', s.seqtypid::regtype, s.seqstart,"
    " s.seqincrement, s.seqmax, s.seqmin, s.seqcycle, pg_get_userbyid(c.relowner)) AS definition"
    " FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid WHERE c.relpersistence <> 't' AND "
    + _OURS.format(catalog="pg_class", oid="c.oid", namespace="c.relnamespace"),
    "default": "SELECT d.adrelid::regclass || '.' || quote_ident(a.attname) AS name,"
    " pg_get_expr(d.adbin, d.adrelid) AS definition FROM pg_attrdef d"
    " JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
    " JOIN pg_class c ON c.oid = d.adrelid WHERE c.relpersistence <> 't' AND "
    + _OURS.format(catalog="pg_class", oid="c.oid", namespace="c.relnamespace"),
    "constraint": "SELECT coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text) || '.' ||"
    " quote_ident(conname) AS name, pg_get_constraintdef(k.oid) AS definition FROM pg_constraint k"
    " LEFT JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype <> 'n'"
    " AND coalesce(c.relpersistence, 'p') <> 't' AND "
    + _OURS.format(catalog="pg_class", oid="k.conrelid", namespace="k.connamespace"),
    "index": "SELECT i.indexrelid::regclass::text AS name, concat_ws('|', pg_get_indexdef(i.indexrelid),"
    " i.indisvalid) AS definition FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
    " WHERE c.relpersistence <> 't' AND " + _OURS.format(catalog="pg_class", oid="c.oid", namespace="c.relnamespace"),
    "view": "SELECT c.oid::regclass::text AS name, pg_get_viewdef(c.oid) AS definition FROM pg_class c"
    " WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND "
    + _OURS.format(catalog="pg_class", oid="c.oid", namespace="c.relnamespace"),
    "function": "SELECT p.oid::regprocedure::text AS name, concat_ws('|', CASE WHEN p.prokind <> 'a' THEN"
    " pg_get_functiondef(p.oid) END, pg_get_userbyid(p.proowner)) AS definition FROM pg_proc p WHERE "
    + _OURS.format(catalog="pg_proc", oid="p.oid", namespace="p.pronamespace"),
    "trigger": "SELECT t.tgrelid::regclass || '.' || quote_ident(t.tgname) AS name,"
    " concat_ws('|', pg_get_triggerdef(t.oid), t.tgenabled) AS definition FROM pg_trigger t"
    " JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND "
    + _OURS.format(catalog="pg_class", oid="c.oid", namespace="c.relnamespace"),
    "policy": "SELECT polrelid::regclass || '.' || quote_ident(polname) AS name, concat_ws('|', polcmd,"
    " polpermissive, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) AS definition"
    " FROM pg_policy",
    "type": "SELECT t.oid::regtype::text AS name, concat_ws('|', t.typtype, pg_get_userbyid(t.typowner),"
    " (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),"
    " CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END) AS definition FROM pg_type t"
    " WHERE t.typtype IN ('d', 'e', 'r') AND "
    + _OURS.format(catalog="pg_type", oid="t.oid", namespace="t.typnamespace"),
    "privilege": "SELECT 'on ' || c.oid::regclass AS name, "
    + _ACL.format(acl="c.relacl", kind="CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END", owner="c.relowner")
    + " FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't' AND "
    + _OURS.format(catalog="pg_class", oid="c.oid", namespace="c.relnamespace")
    + " UNION ALL SELECT 'on column ' || c.oid::regclass || '.' || quote_ident(a.attname), "
    + _ACL.format(acl="a.attacl", kind="'c'", owner="c.relowner")
    + " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attacl IS NOT NULL AND NOT a.attisdropped"
    " AND c.relpersistence <> 't' AND "
    + _OURS.format(catalog="pg_class", oid="c.oid", namespace="c.relnamespace")
    + " UNION ALL SELECT 'on schema ' || quote_ident(nspname), "
    + _ACL.format(acl="nspacl", kind="'n'", owner="nspowner")
    + " FROM pg_namespace WHERE "
    + _OURS.format(catalog="pg_namespace", oid="pg_namespace.oid", namespace="pg_namespace.oid")
    + " UNION ALL SELECT 'on function ' || p.oid::regprocedure, "
    + _ACL.format(acl="p.proacl", kind="'f'", owner="p.proowner")
    + " FROM pg_proc p WHERE "
    + _OURS.format(catalog="pg_proc", oid="p.oid", namespace="p.pronamespace"),
    "comment": "SELECT i.type || ' ' || i.identity AS name, d.description AS definition FROM pg_description d,"
    " LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i WHERE d.objoid >= 16384 AND i.identity IS NOT NULL"
    " AND d.classoid <> 'pg_extension'::regclass AND coalesce(i.schema, '') !~ '^pg_' AND NOT EXISTS (SELECT FROM"
    " pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')",
}

# PostgreSQL prints these differently from one major version to the next, or has other defaults for them.
_DEPARSED = frozenset(("default", "constraint", "index", "view", "function", "trigger", "policy", "privilege"))


def inventory(session: Session) -> dict:
    """Every object as ``class name`` → 16 hex digits of its definition's SHA-256."""
    found = {}
    for kind, sql in _CLASSES.items():
        for row in session.query(sql):
            digest = hashlib.sha256((row["definition"] or "").encode("utf-8", "surrogateescape"))
            found[f"{kind} {row['name']}"] = digest.hexdigest()[:16]
    return found


def differences(expected: dict, found: dict, same_major: bool) -> list[str]:
    """The objects that are missing, new or defined otherwise; between majors, printed definitions do not count."""
    lines = [f"{name} is missing" for name in sorted(set(expected) - set(found))]
    lines += [f"{name} is there, but was not in the snapshot" for name in sorted(set(found) - set(expected))]
    for name in sorted(set(expected) & set(found)):
        if expected[name] != found[name] and (same_major or name.split(" ", 1)[0] not in _DEPARSED):
            lines.append(f"{name} is defined otherwise")
    return lines
