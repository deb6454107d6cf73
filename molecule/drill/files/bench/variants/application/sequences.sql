CREATE SEQUENCE down INCREMENT -5 MAXVALUE 100 START 100;
SELECT nextval('down'), nextval('down');
CREATE SEQUENCE unused;
CREATE SEQUENCE cyc MAXVALUE 3 CYCLE;
SELECT nextval('cyc') FROM generate_series(1, 5);
CREATE SEQUENCE huge AS bigint;
SELECT setval('huge', 9223372036854775807);
CREATE SEQUENCE cached CACHE 50;
SELECT nextval('cached');
