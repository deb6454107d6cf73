CREATE TABLE t (mirai_row int, text int, count int, digest text, rows int);
INSERT INTO t VALUES (1, 2, 3, 'x', 5);
CREATE TABLE mirai_row (mirai_row text, x int);
INSERT INTO mirai_row VALUES ('a', 1), ('b', 2);
