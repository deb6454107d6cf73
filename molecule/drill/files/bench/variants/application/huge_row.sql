CREATE TABLE t (id int, x text, y bytea);
INSERT INTO t SELECT 1, string_agg(md5(n::text), ''), NULL FROM generate_series(1, 700000) n;
INSERT INTO t SELECT 2, NULL, decode(repeat('00ff', 5000000), 'hex');
