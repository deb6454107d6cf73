CREATE TABLE t (a int, b text, c int DEFAULT 5);
INSERT INTO t SELECT n, 'x', n FROM generate_series(1, 20) n;
ALTER TABLE t DROP COLUMN b;
ALTER TABLE t ADD COLUMN d text DEFAULT 'late';
