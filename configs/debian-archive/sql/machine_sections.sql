-- label, installed KiB, note: what takes the room on this machine
SELECT section, sum(kib), printf('%.0f MB  in %,d', sum(kib) * 1024 / 1e6, count(*))
FROM machine GROUP BY section ORDER BY 2 DESC, 1 LIMIT :top;
