Globs that match nothing: told once, and not before what runs first had its turn.

  $ cat > troupe.json <<'END'
  > { "name": "globs", "assets": {
  >   "tree": { "command": "mkdir -p out; echo 1 > out/a.c", "outputs": ["out"] },
  >   "use": { "command": "cat out/*.c > all.txt", "inputs": ["out/*.c"], "outputs": ["all.txt"] },
  >   "lost": { "command": "ls out > lost.txt", "inputs": ["out/*.h", "none/*"], "outputs": ["lost.txt"] } } }
  > END
  $ troupe plan 2>&1 | grep warning
  [1]
  $ troupe run -j 1 2>&1 | grep warning
  warning: asset lost: the glob "out/*.h" in inputs matches nothing [empty_glob]
  warning: asset lost: the glob "none/*" in inputs matches nothing [empty_glob]
  $ troupe run
  warning: asset lost: the glob "out/*.h" in inputs matches nothing [empty_glob]
  warning: asset lost: the glob "none/*" in inputs matches nothing [empty_glob]
  all fresh: 3 assets, nothing to do (<n> ms)
