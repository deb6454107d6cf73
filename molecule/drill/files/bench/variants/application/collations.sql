CREATE COLLATION ja (provider = icu, locale = 'ja', deterministic = false);
CREATE TABLE t (x text COLLATE ja, y text COLLATE "C");
INSERT INTO t VALUES ('あ', 'b'), ('ア', 'a');
CREATE INDEX ON t (x);
