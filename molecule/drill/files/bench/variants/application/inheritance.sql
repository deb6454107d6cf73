CREATE TABLE parent (id int, x text);
CREATE TABLE child (y int) INHERITS (parent);
CREATE TABLE grandchild (z int) INHERITS (child);
INSERT INTO parent VALUES (1, 'p');
INSERT INTO child VALUES (2, 'c', 3);
INSERT INTO grandchild VALUES (3, 'g', 4, 5);
