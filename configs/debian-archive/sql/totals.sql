-- key, value: the figures at the head of the report
SELECT 'packages',     printf('%,d', count(*)) FROM packages
UNION ALL SELECT 'sources',      printf('%,d', count(DISTINCT source)) FROM packages
UNION ALL SELECT 'maintainers',  printf('%,d', count(DISTINCT maintainer)) FROM packages
UNION ALL SELECT 'download',     printf('%.1f GB', sum(bytes) / 1e9) FROM packages
UNION ALL SELECT 'unpacked',     printf('%.1f GB', sum(kib) * 1024 / 1e9) FROM packages
UNION ALL SELECT 'edges',        printf('%,d', sum(needs)) FROM degree
UNION ALL SELECT 'unneeded',     printf('%.0f %%', 100.0 * sum(needed_by = 0) / max(count(*), 1)) FROM degree
UNION ALL SELECT 'hub',          package FROM (SELECT package FROM degree ORDER BY needed_by DESC, package LIMIT 1)
UNION ALL SELECT 'hub_degree',   printf('%,d', needed_by) FROM (SELECT needed_by FROM degree ORDER BY needed_by DESC, package LIMIT 1)
UNION ALL SELECT 'installed',    printf('%,d', count(*)) FROM machine
UNION ALL SELECT 'machine_size', printf('%.1f GB', sum(kib) * 1024 / 1e9) FROM machine
UNION ALL SELECT 'differing',    printf('%,d', sum(state = 'differs')) FROM machine
UNION ALL SELECT 'local',        printf('%,d', sum(state = 'local')) FROM machine;
