-- table: package, section, download, installed, summary
SELECT package, section, printf('%.0f MB', bytes / 1e6), printf('%.0f MB', kib * 1024 / 1e6), summary
FROM packages ORDER BY bytes DESC, package LIMIT :top;
