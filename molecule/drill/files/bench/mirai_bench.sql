CREATE TABLE bench_settings (name text PRIMARY KEY, value text, shipped boolean);
INSERT INTO bench_settings VALUES ('version', '1', true);
SELECT pg_extension_config_dump('bench_settings', 'WHERE NOT shipped');
CREATE TABLE bench_terms (id int, term text);
SELECT pg_extension_config_dump('bench_terms', '');
CREATE SEQUENCE bench_numbers;
SELECT pg_extension_config_dump('bench_numbers', '');
CREATE TABLE bench_constants (x int);
INSERT INTO bench_constants VALUES (1);
