# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The classes of objects that make up a schema, each as one SELECT: name, and what makes up its definition."""

from __future__ import annotations


def _ours(catalog: str, oid: str, namespace: str) -> str:
    """The condition that an object is neither the system's nor an extension's."""
    return (
        f"NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '{catalog}'::regclass AND d.objid = {oid}"
        f" AND d.deptype = 'e') AND {namespace} NOT IN (SELECT oid FROM pg_namespace"
        " WHERE nspname = 'information_schema' OR nspname ~ '^pg_')"
    )


def _rights(acl: str, kind: str, owner: str) -> str:
    """Rights as a sorted list, the defaults spelled out."""
    return (
        "(SELECT string_agg(x::text, ',' ORDER BY x::text COLLATE \"C\")"
        f' FROM unnest(coalesce({acl}, acldefault(({kind})::"char", {owner}))) x) AS definition'
    )


_RELATION = "c.relpersistence <> 't' AND " + _ours("pg_class", "c.oid", "c.relnamespace")
_NAMESPACE = _ours("pg_namespace", "n.oid", "n.oid")
# The constructors that come with a range's type are not functions of anybody's, and newer majors make more of them.
_FUNCTION = _ours("pg_proc", "p.oid", "p.pronamespace") + (
    " AND NOT EXISTS (SELECT FROM pg_depend i WHERE i.classid = 'pg_proc'::regclass AND i.objid = p.oid"
    " AND i.deptype = 'i')"
)
_TYPE = _ours("pg_type", "t.oid", "t.typnamespace")

CLASSES = {
    # The owner that initdb gave to "public" is the first superuser, since PostgreSQL 15 pg_database_owner.
    "schema": "SELECT quote_ident(n.nspname) AS name, CASE WHEN n.nspname <> 'public' OR n.nspowner NOT IN (10, 6171)"
    f" THEN pg_get_userbyid(n.nspowner)::text END AS definition FROM pg_namespace n WHERE {_NAMESPACE}",
    "extension": "SELECT quote_ident(extname) AS name, '' AS definition FROM pg_extension",
    # Columns by name: pg_dump may put those of a table that inherits into another order.
    "table": "SELECT c.oid::regclass::text AS name, concat_ws('|', c.relkind, c.relpersistence, c.relrowsecurity,"
    " c.relforcerowsecurity, c.relreplident, c.relispopulated, pg_get_userbyid(c.relowner),"
    " (SELECT string_agg(o, ',' ORDER BY o) FROM unnest(c.reloptions) o),"
    " (SELECT string_agg(i.inhparent::regclass::text, ',' ORDER BY i.inhseqno) FROM pg_inherits i"
    " WHERE i.inhrelid = c.oid), (SELECT string_agg(concat_ws(' ', quote_ident(a.attname),"
    " format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated), ',' ORDER BY a.attname)"
    " FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)) AS definition"
    f" FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND {_RELATION}",
    "sequence": "SELECT c.oid::regclass::text AS name, concat_ws('|', s.seqtypid::regtype, s.seqstart,"
    " s.seqincrement, s.seqmax, s.seqmin, s.seqcycle, pg_get_userbyid(c.relowner)) AS definition"
    f" FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid WHERE {_RELATION}",
    "default": "SELECT d.adrelid::regclass || '.' || quote_ident(a.attname) AS name,"
    " pg_get_expr(d.adbin, d.adrelid) AS definition FROM pg_attrdef d"
    " JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
    f" JOIN pg_class c ON c.oid = d.adrelid WHERE {_RELATION}",
    "constraint": "SELECT coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text) || '.' ||"
    " quote_ident(conname) AS name, pg_get_constraintdef(k.oid) AS definition FROM pg_constraint k"
    " LEFT JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype <> 'n'"
    " AND coalesce(c.relpersistence, 'p') <> 't' AND " + _ours("pg_class", "k.conrelid", "k.connamespace"),
    # What a failed CREATE INDEX CONCURRENTLY left is not dumped.
    "index": "SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i"
    " JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid"
    f" WHERE (i.indisvalid OR x.relkind = 'I') AND {_RELATION}",
    "view": "SELECT c.oid::regclass::text AS name, pg_get_viewdef(c.oid) AS definition FROM pg_class c"
    f" WHERE c.relkind IN ('v', 'm') AND {_RELATION}",
    "rule": "SELECT c.oid::regclass || '.' || quote_ident(r.rulename) AS name, pg_get_ruledef(r.oid) AS definition"
    f" FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE r.rulename <> '_RETURN' AND {_RELATION}",
    "function": "SELECT p.oid::regprocedure::text AS name, concat_ws('|', p.prokind, p.prosrc, p.probin, p.provolatile,"
    " p.proisstrict, p.prosecdef, p.proleakproof, p.proparallel, p.proretset, p.prorettype::regtype, p.proconfig,"
    " (SELECT lanname FROM pg_language WHERE oid = p.prolang), pg_get_userbyid(p.proowner),"
    " (SELECT concat_ws(' ', g.aggtransfn, g.aggfinalfn, g.agginitval, g.aggtranstype::regtype) FROM pg_aggregate g"
    f" WHERE g.aggfnoid = p.oid)) AS definition FROM pg_proc p WHERE {_FUNCTION}",
    "trigger": "SELECT t.tgrelid::regclass || '.' || quote_ident(t.tgname) AS name,"
    " concat_ws('|', pg_get_triggerdef(t.oid), t.tgenabled) AS definition FROM pg_trigger t"
    f" JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND {_RELATION}",
    "event_trigger": "SELECT quote_ident(evtname) AS name, concat_ws('|', evtevent, evtenabled, evttags,"
    " evtfoid::regproc) AS definition FROM pg_event_trigger e WHERE NOT EXISTS (SELECT FROM pg_depend d"
    " WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e')",
    "policy": "SELECT polrelid::regclass || '.' || quote_ident(polname) AS name, concat_ws('|', polcmd,"
    " polpermissive, (SELECT string_agg(CASE WHEN r = 0 THEN 'public' ELSE pg_get_userbyid(r)::text END, ','"
    " ORDER BY 1) FROM unnest(polroles) r), pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))"
    " AS definition FROM pg_policy",
    "type": "SELECT t.oid::regtype::text AS name, concat_ws('|', t.typtype, pg_get_userbyid(t.typowner),"
    " (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),"
    " CASE WHEN t.typtype = 'd' THEN concat_ws(' ', format_type(t.typbasetype, t.typtypmod), t.typnotnull,"
    f" t.typdefault) END) AS definition FROM pg_type t WHERE t.typtype IN ('d', 'e', 'r') AND {_TYPE}",
    "publication": "SELECT quote_ident(pubname) AS name, concat_ws('|', puballtables, pubinsert, pubupdate, pubdelete,"
    " pubtruncate, (SELECT string_agg(r.prrelid::regclass::text, ',' ORDER BY r.prrelid::regclass::text)"
    " FROM pg_publication_rel r WHERE r.prpubid = p.oid)) AS definition FROM pg_publication p",
    "large_object": "SELECT m.oid::text AS name, concat_ws('|', pg_get_userbyid(m.lomowner), "
    + _rights("m.lomacl", "'L'", "m.lomowner").replace(" AS definition", "")
    + ") AS definition FROM pg_largeobject_metadata m",
    "default_privilege": "SELECT concat_ws('.', pg_get_userbyid(defaclrole), defaclnamespace::regnamespace,"
    " defaclobjtype) AS name, (SELECT string_agg(x::text, ',' ORDER BY x::text) FROM unnest(defaclacl) x) AS definition"
    " FROM pg_default_acl",
    "privilege": "SELECT 'on ' || c.oid::regclass AS name, "
    + _rights("c.relacl", "CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END", "c.relowner")
    + f" FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {_RELATION}"
    " UNION ALL SELECT 'on column ' || c.oid::regclass || '.' || quote_ident(a.attname), "
    + _rights("a.attacl", "'c'", "c.relowner")
    + " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attacl IS NOT NULL AND NOT a.attisdropped"
    f" AND {_RELATION} UNION ALL SELECT 'on schema ' || quote_ident(n.nspname), "
    + _rights("n.nspacl", "'n'", "n.nspowner")
    + f" FROM pg_namespace n WHERE {_NAMESPACE}"
    " UNION ALL SELECT 'on function ' || p.oid::regprocedure, "
    + _rights("p.proacl", "'f'", "p.proowner")
    + f" FROM pg_proc p WHERE {_FUNCTION}"
    " UNION ALL SELECT 'on type ' || t.oid::regtype, "
    + _rights("t.typacl", "'T'", "t.typowner")
    + f" FROM pg_type t WHERE t.typtype IN ('d', 'e', 'r') AND {_TYPE}",
    "comment": "SELECT i.type || ' ' || i.identity AS name, d.description AS definition FROM pg_description d,"
    " LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i WHERE d.objoid >= 16384 AND i.identity IS NOT NULL"
    " AND d.classoid <> 'pg_extension'::regclass AND coalesce(i.schema, '') !~ '^pg_' AND NOT EXISTS (SELECT FROM"
    " pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')"
    " AND NOT EXISTS (SELECT FROM pg_index x WHERE d.classoid = 'pg_class'::regclass AND x.indexrelid = d.objoid"
    " AND NOT x.indisvalid)",
}

# Printed by the server out of what it stores, and printed otherwise after a round trip or by another major.
DEPARSED = frozenset(("default", "constraint", "index", "view", "rule", "trigger", "policy"))

# The same between two servers of one major only: other majors have other defaults and other catalogues.
ONE_MAJOR = DEPARSED | {"function", "privilege", "default_privilege", "publication"}
