CREATE TABLE t (id int PRIMARY KEY, a int CHECK (a > 0), r int4range, EXCLUDE USING gist (r WITH &&),
  u text UNIQUE);
INSERT INTO t VALUES (1, 5, '[1,5)', 'x'), (2, 6, '[5,9)', NULL);
CREATE INDEX ON t USING gin (to_tsvector('simple', u));
CREATE INDEX ON t USING brin (id);
CREATE INDEX ON t USING hash (u);
CREATE INDEX ON t (u) INCLUDE (a) WHERE a > 5;
