-- label, packages, note with the size of what they look after
SELECT maintainer, count(*), printf('%,d  (%.1f GB)', count(*), sum(bytes) / 1e9)
FROM packages WHERE maintainer <> '' GROUP BY maintainer ORDER BY 2 DESC, 1 LIMIT :top;
