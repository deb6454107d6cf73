SELECT lo_from_bytea(0, '');
SELECT lo_from_bytea(4711, decode(repeat('00ff', 3000000), 'hex'));
SELECT lo_from_bytea(0, 'abc');
CREATE TABLE t (o oid);
INSERT INTO t SELECT oid FROM pg_largeobject_metadata;
COMMENT ON LARGE OBJECT 4711 IS 'a photo';
GRANT SELECT ON LARGE OBJECT 4711 TO PUBLIC;
