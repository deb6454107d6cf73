CREATE TABLE t (id int, owner name);
INSERT INTO t SELECT n, 'nobody' FROM generate_series(1, 50) n;
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON t USING (owner = current_user);
