-- since 14
CREATE TABLE t (x text);
INSERT INTO t VALUES ('b'), ('a');
CREATE STATISTICS st (ndistinct) ON x, (lower(x)) FROM t;
