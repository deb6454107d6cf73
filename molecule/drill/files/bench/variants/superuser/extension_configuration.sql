CREATE EXTENSION mirai_bench;
INSERT INTO bench_settings VALUES ('ours', 'kept by pg_dump', false), ('theirs', 'comes with the extension', true);
INSERT INTO bench_terms SELECT n, 'term ' || n FROM generate_series(1, 30) n;
SELECT nextval('bench_numbers') FROM generate_series(1, 7);
GRANT SELECT ON ALL TABLES IN SCHEMA public TO bench;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO bench;
