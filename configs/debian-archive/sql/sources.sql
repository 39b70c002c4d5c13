-- table: source package, binary packages built from it, download in all
SELECT source, printf('%,d', count(*)), printf('%.0f MB', sum(bytes) / 1e6), min(maintainer)
FROM packages GROUP BY source ORDER BY count(*) DESC, source LIMIT :top;
