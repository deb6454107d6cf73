CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE users (line text) SERVER files OPTIONS (filename '/etc/passwd', delimiter '|');
CREATE TABLE t (x int);
INSERT INTO t VALUES (1);
GRANT SELECT ON ALL TABLES IN SCHEMA public TO bench;
