CREATE SCHEMA "スキーマ";
CREATE SCHEMA "Sche.ma ""x"" 'y' %s";
CREATE TYPE "Sche.ma ""x"" 'y' %s"."Ty;pe" AS ENUM ('a');
CREATE TABLE "スキーマ"."表 ""一""" ("列" serial PRIMARY KEY, "select" text, "a.b" "Sche.ma ""x"" 'y' %s"."Ty;pe");
INSERT INTO "スキーマ"."表 ""一""" ("select", "a.b") VALUES ('x', 'a');
CREATE TABLE "Sche.ma ""x"" 'y' %s"."per%cent %I $1 \ {0}" ("new
line" int, " " text, "{0}" text DEFAULT '{0}');
INSERT INTO "Sche.ma ""x"" 'y' %s"."per%cent %I $1 \ {0}" VALUES (1, 'x');
CREATE SEQUENCE "Sche.ma ""x"" 'y' %s"."Seq 'q'" START 7;
SELECT nextval('"Sche.ma ""x"" ''y'' %s"."Seq ''q''"');
