CREATE SCHEMA a;
CREATE SCHEMA "a.b";
CREATE TABLE a."b.c" (x int);
CREATE TABLE "a.b".c (x int, y int);
INSERT INTO a."b.c" VALUES (1);
INSERT INTO "a.b".c VALUES (2, 3), (4, 5);
