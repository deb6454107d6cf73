CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS numeric(10, 3) CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('gut', '良い', 'with space', 'qu''ote');
CREATE TYPE span AS RANGE (subtype = float8);
CREATE TABLE t (
  i int4range, n numrange, ts tstzrange, s span, a int[], aa text[][], p pair, pp pair[],
  d positive, e mood, ee mood[], b bytea, jb jsonb, j json, x xml, v tsvector, q tsquery, num numeric,
  r real, f float8, iv interval, m money, ip inet, ci cidr, mac macaddr, u uuid, bits varbit, c char(5),
  pt point, poly polygon, circ circle, l pg_lsn, t time, tz timetz, tst timestamptz, ts0 timestamp, dt date,
  o oid, reg regclass, nm name, ch "char");
CREATE TABLE more (m8 macaddr8, ln line, ls lseg, bx box, pa path, jp jsonpath, dr daterange, b1 bit(3), arr positive[],
  nested pair[][], dom mood[], six smallint, big bigint, tx xid, tt tid);
INSERT INTO more VALUES ('08:00:2b:01:02:03:04:05', '{1,-1,0.1}', '[(0,0),(0.1,1e-30)]', '(1,1),(0,0)',
  '[(0,0),(1,1)]', '$.a[*] ? (@ > 1.10)', '[2026-01-01,)', B'101', '{1.500,NULL}', ARRAY[ARRAY[(1, 'a "b"')::pair, NULL]],
  '{良い}', -32768, -9223372036854775808, '4294967295', '(7,8)');
INSERT INTO more DEFAULT VALUES;
INSERT INTO t VALUES (
  '[1,5)', '(1.5,]', '[2026-01-01,2026-03-29 02:30+01)', '[1.1,2.2]', '{1,NULL,3}',
  '{{a,"b c"},{"\"","{"}}', '(1,"x,y")', '{"(1,a)","(,)"}', 12.500, '良い', '{gut,"with space"}', '\x00ff5c27',
  '{"b": 1.10, "a": [null, true]}', '{"b":  1,  "b": 2}', '<a b="c">é&amp;</a>', 'fat:1A cat:2', 'fat & !cat',
  'NaN', 'Infinity', '-0', '1 year 2 mons -3 days 04:05:06.789', '$1,234.56', '10.0.0.1/8', '10.0.0.0/8',
  '08:00:2b:01:02:03', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', B'10110', 'ab', '(1,2)', '((0,0),(1,1),(1,0))',
  '<(0,0),5>', '16/B374D848', '24:00', '12:00:00.5+09', 'infinity', '-infinity', '4713-01-01 BC', 42,
  'pg_class', 'naïve', 'x');
INSERT INTO t (num, r, f, iv, tst) VALUES
  (1.10, 0.1, 0.1, '-1 day +02:00', '2026-06-30 23:59:59.999999+09'),
  (1.1000, '1e-45', '5e-324', '100 years', '0001-01-01 BC'),
  (10::numeric ^ 900, '3.4028235e38', 1.7976931348623157e308, '0', 'epoch'), (0.30000000000000004, 'NaN',
  'NaN', NULL, NULL);
INSERT INTO t DEFAULT VALUES;
