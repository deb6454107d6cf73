CREATE TABLE t (at timestamptz);
INSERT INTO t VALUES (now()), (now() - interval '1 hour');
CREATE MATERIALIZED VIEW ages AS SELECT now() - at AS age FROM t;
CREATE MATERIALIZED VIEW today AS SELECT count(*), CURRENT_TIMESTAMP AS at FROM t;
CREATE MATERIALIZED VIEW dice AS SELECT random() AS pips;
CREATE VIEW between AS SELECT age FROM ages;
CREATE MATERIALIZED VIEW over_a_view AS SELECT max(age) FROM between;
