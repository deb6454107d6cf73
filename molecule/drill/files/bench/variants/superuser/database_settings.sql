DO $$
DECLARE setting text;
BEGIN
  FOREACH setting IN ARRAY ARRAY['timezone TO ''Asia/Tokyo''', 'bytea_output TO escape', 'datestyle TO ''German''',
    'extra_float_digits TO -5', 'intervalstyle TO sql_standard', 'xmlbinary TO hex', 'quote_all_identifiers TO on',
    'lc_monetary TO ''C.UTF-8''', 'lc_numeric TO ''C.UTF-8''', 'search_path TO nowhere', 'row_security TO off',
    'standard_conforming_strings TO off', 'array_nulls TO off', 'default_transaction_read_only TO on']
  LOOP
    EXECUTE format('ALTER DATABASE %I SET %s', current_database(), setting);
  END LOOP;
  FOREACH setting IN ARRAY ARRAY['timezone TO ''America/St_Johns''', 'datestyle TO ''SQL, DMY''',
    'extra_float_digits TO 0', 'intervalstyle TO postgres_verbose', 'client_encoding TO latin1']
  LOOP
    EXECUTE format('ALTER ROLE bench IN DATABASE %I SET %s', current_database(), setting);
  END LOOP;
END $$;
SET default_transaction_read_only TO off;
SET search_path TO public;
CREATE TABLE t (b bytea, f float8, r real, d timestamptz, day date, i interval, m money, x xml, range tstzrange,
  a date[], s text);
INSERT INTO t VALUES ('\x00ff', 0.1, 0.3, '2026-01-01', '2026-02-03', '1 year -2 days 03:04:05.6', 1234.56,
  xmlelement(name n, '\x00ff'::bytea), '[2026-03-29 01:30+00,2026-10-25 01:30+00]', '{2026-02-03,NULL}', 'a\b''日本'),
  (NULL, 1e-300, 1e-30, '2026-03-08 06:59:59.999999+00', 'infinity', '-1 mon', -0.01, NULL, 'empty', '{}', '');
CREATE VIEW v AS SELECT d::text AS d, i::text AS i, m::text AS m, f::text AS f, 'a\b'::text AS s FROM t;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO bench;
