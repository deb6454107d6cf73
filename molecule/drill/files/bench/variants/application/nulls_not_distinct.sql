-- since 15
CREATE TABLE t (a int, u text, UNIQUE NULLS NOT DISTINCT (a, u));
INSERT INTO t VALUES (1, 'x'), (1, NULL), (NULL, NULL);
