CREATE TABLE t (a text, b int);
INSERT INTO t SELECT 'same', n % 3 FROM generate_series(1, 900) n;
INSERT INTO t SELECT NULL, NULL FROM generate_series(1, 50);
INSERT INTO t VALUES ('', NULL);
