-- since 14
CREATE TYPE span AS RANGE (subtype = float8, multirange_type_name = spans);
CREATE TABLE t (m int4multirange, n nummultirange, s spans, a datemultirange[]);
INSERT INTO t VALUES ('{[1,2),[5,9)}', '{(,1.50],[2.0,)}', '{[0.1,0.2]}', '{"{[2026-01-01,2026-02-01)}",NULL}'), ('{}', NULL, NULL, '{}');
