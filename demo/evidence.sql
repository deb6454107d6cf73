-- What makes up a database beside its rows: lines of name=value, to be the same before and after.
-- Object identifiers do not count, and neither does the order of rights.
CREATE FUNCTION pg_temp.rights(list aclitem[]) RETURNS text LANGUAGE sql
    AS $$ SELECT string_agg(item::text, ',' ORDER BY item::text) FROM unnest(list) item $$;
CREATE TEMPORARY VIEW own AS
    SELECT oid, nspname AS name, nspowner, nspacl FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema';

SELECT 'database=' || concat_ws(' ', datdba::regrole, pg_encoding_to_char(encoding), datcollate, datctype,
    pg_temp.rights(datacl), shobj_description(d.oid, 'pg_database'), setconfig)
FROM pg_database d LEFT JOIN pg_db_role_setting ON setdatabase = d.oid WHERE datname = current_database();

SELECT 'schema ' || name || '=' || concat_ws(' ', nspowner::regrole, pg_temp.rights(nspacl),
    obj_description(oid, 'pg_namespace')) FROM own;

SELECT 'relation ' || c.oid::regclass || '=' || concat_ws(' ', relkind, relowner::regrole,
    pg_temp.rights(relacl), obj_description(c.oid, 'pg_class'), CASE relkind WHEN 'v' THEN md5(pg_get_viewdef(c.oid)) END)
FROM pg_class c JOIN own ON own.oid = relnamespace;

SELECT 'column ' || attrelid::regclass || '.' || attname || '=' || concat_ws(' ', format_type(atttypid, atttypmod),
    attnotnull, attidentity, pg_get_expr(adbin, adrelid))
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN own ON own.oid = relnamespace
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attnum > 0 AND relkind IN ('r', 'v');

SELECT 'index ' || indexrelid::regclass || '=' || pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN own ON own.oid = relnamespace;

SELECT 'constraint ' || concat_ws('.', conrelid::regclass, conname) || '=' || pg_get_constraintdef(c.oid)
FROM pg_constraint c JOIN own ON own.oid = connamespace WHERE contype <> 'n';

SELECT 'trigger ' || tgrelid::regclass || '.' || tgname || '=' || pg_get_triggerdef(oid)
FROM pg_trigger WHERE NOT tgisinternal;

SELECT 'function ' || p.oid::regprocedure || '=' || md5(pg_get_functiondef(p.oid))
FROM pg_proc p JOIN own ON own.oid = pronamespace;

SELECT 'sequence ' || schemaname || '.' || sequencename || '=' || coalesce(last_value::text, 'unused')
FROM pg_sequences;

SELECT 'large object ' || oid || '=' || concat_ws(' ', lomowner::regrole, md5(lo_get(oid)))
FROM pg_largeobject_metadata;
