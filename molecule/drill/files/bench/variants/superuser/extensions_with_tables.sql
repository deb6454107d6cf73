CREATE EXTENSION hstore;
CREATE EXTENSION pg_trgm;
CREATE SCHEMA ext;
CREATE EXTENSION citext SCHEMA ext;
CREATE TABLE t (h hstore, c ext.citext);
INSERT INTO t VALUES ('a=>1, b=>NULL', 'Abc');
CREATE INDEX ON t USING gin ((c::text) gin_trgm_ops);
GRANT SELECT ON ALL TABLES IN SCHEMA public TO bench;
