CREATE UNLOGGED TABLE u (id serial PRIMARY KEY, x text);
INSERT INTO u (x) SELECT 'r' || n FROM generate_series(1, 100) n;
