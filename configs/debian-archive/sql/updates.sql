-- table: package, installed version, version on offer, section
SELECT package, installed, candidate, section FROM machine WHERE state = 'differs' ORDER BY package LIMIT :top;
