CREATE TABLE p (id int, kind text, at date) PARTITION BY LIST (kind);
CREATE TABLE other_order (at date, kind text, gone int, id int);
ALTER TABLE other_order DROP COLUMN gone;
INSERT INTO other_order VALUES ('2026-01-01', 'a', 1), (NULL, 'b', NULL);
ALTER TABLE p ATTACH PARTITION other_order FOR VALUES IN ('a', 'b');
CREATE TABLE "その他" PARTITION OF p FOR VALUES IN (NULL, 'ö');
INSERT INTO p VALUES (3, NULL, NULL), (4, 'ö', 'infinity');
