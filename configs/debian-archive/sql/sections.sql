-- label, packages, note, of these installed here
SELECT p.section, count(*), printf('%,d', count(*)), count(m.package)
FROM packages p LEFT JOIN machine m USING (package)
GROUP BY p.section ORDER BY 2 DESC, 1 LIMIT :top;
