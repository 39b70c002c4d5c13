A failed run goes on as the same run; what succeeded is not run again.

  $ cat > troupe.json <<'END'
  > { "name": "r", "params": { "who": "me" },
  >   "assets": { "a": { "command": "echo ran {{ params.who }} >> a.log" }, "b": { "command": "test -e fixed", "deps": ["a"] }, "c": { "command": "true", "deps": ["b"] } } }
  > END
  $ troupe run -j 1 --param who=you
  run #1 of r: 3 assets, 0 fresh, 1 worker
  [1/3] a  succeeded in <duration>
  [2/3] b  failed after <duration>: exit status 1
  stopping after a failure: nothing more is started
  [3/3] c  blocked by b
  
  failed: b (attempt 1): exit status 1
    command: test -e fixed
  
  run #1 failed in <duration>: 1 failed, 1 blocked, 1 succeeded
  troupe show 1 tells more; troupe resume 1 goes on with it
  [1]
  $ troupe resume --param who=me
  error: resume continues with the params that the run was started with; only secret params are given again, and who is not secret: leave --param out, or start a new run with troupe run
  [2]
  $ touch fixed
  $ troupe resume
  run #1 of r: 3 assets, 1 fresh, 1 worker
  [1/2] b  succeeded in <duration>
  [2/2] c  succeeded in <duration>
  run #1 succeeded in <duration>: 3 succeeded
  $ cat a.log
  ran you
  $ troupe runs
  RUN  PIPELINE  STATUS  STARTED  DURATION  ASSETS
   #1  r  succeeded  <local time> (<ago>)  <duration>  3 succeeded
  $ troupe resume
  run #1 has succeeded: there is nothing to resume (troupe run brings the pipeline up to date)
  $ troupe resume --json 2>/dev/null | jq -c '[.number, .status]'
  [1,"succeeded"]
  $ troupe resume 9
  error: there is no run "9": give a number (#1), at least 4 characters of an id, or "latest" (see troupe runs)
  [2]

A definition that has changed is not resumed.

  $ rm fixed; troupe run -j 1 --force >/dev/null
  [1]
  $ sed -i 's/test -e fixed/test -e mended/' troupe.json
  $ troupe resume 2
  error: run #2 cannot be resumed, because the pipeline has changed since it started:
    b: its definition has changed
  troupe run does what is left to do, incrementally
  [2]

A run whose pipeline came from standard input needs it again; with its own params.

  $ rm -rf .troupe troupe.json
  $ echo '{ "name": "piped", "params": { "p": 1 }, "assets": { "a": { "command": "test {{ params.p }} = 2 && test -e ok" } } }' > piped
  $ troupe run -f - --param p=2 < piped >/dev/null
  [1]
  $ touch ok; troupe resume --state .troupe
  error: run #1 read its pipeline from standard input: give it again, with -f
  [2]
  $ cat piped | troupe resume -f - >/dev/null
  $ troupe show --json | jq -c '[.number, .status, .assets.a.attempts]'
  [1,"succeeded",2]
