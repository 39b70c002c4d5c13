-- label, packages that need it directly, note
SELECT package, needed_by, printf('%,d', needed_by) FROM degree ORDER BY 2 DESC, 1 LIMIT :top;
