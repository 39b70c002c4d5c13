What was: runs, and each of them as it was then.

  $ cat > troupe.json <<'END'
  > {
  >   "name": "history",
  >   "engine": { "workers": 1, "error_strategy": "continue", "keep_runs": 4 },
  >   "assets": {
  >     "numbers": { "command": "seq {{ params.n }} > numbers.txt; echo {{ params.n }} numbers", "outputs": ["numbers.txt"] },
  >     "sum": { "command": "awk '{ s += $1 } END { print s }' numbers.txt > sum.txt; cat sum.txt; test ! -e broken", "inputs": ["numbers.txt"], "outputs": ["sum.txt"] },
  >     "report": { "command": "cp sum.txt report.txt", "inputs": ["sum.txt"], "outputs": ["report.txt"] },
  >   },
  >   "params": { "n": 3 }
  > }
  > END
  $ troupe run >/dev/null
  $ troupe run --param n=4 sum >/dev/null
  $ touch broken; troupe run --param n=5 >/dev/null
  [1]
  $ rm broken; troupe run --force --only numbers --param n=5 >/dev/null
  $ troupe runs
  RUN  PIPELINE  STATUS  STARTED  DURATION  ASSETS
   #4  history  succeeded  <local time> (<ago>)  <duration>  1 succeeded
   #3  history  failed  <local time> (<ago>)  <duration>  1 failed, 1 blocked, 1 succeeded
   #2  history  succeeded  <local time> (<ago>)  <duration>  2 succeeded
   #1  history  succeeded  <local time> (<ago>)  <duration>  3 succeeded
  $ troupe runs --limit 2
  RUN  PIPELINE  STATUS  STARTED  DURATION  ASSETS
   #4  history  succeeded  <local time> (<ago>)  <duration>  1 succeeded
   #3  history  failed  <local time> (<ago>)  <duration>  1 failed, 1 blocked, 1 succeeded
  older ones are not listed (--limit 0 lists all)
  $ troupe runs --json --limit 1 | json
  {
   "format": 1,
   "runs": [
    {
     "cause": {
      "by": null,
      "events": [],
      "kind": "user",
      "trigger": null
     },
     "continued_by": null,
     "continues": null,
     "counts": {
      "succeeded": 1
     },
     "duration_ms": <n>,
     "finished_at": "<time>",
     "number": 4,
     "pipeline": "history",
     "queued_at": null,
     "reason": null,
     "run": "<uuid>",
     "started_at": "<time>",
     "status": "succeeded"
    }
   ]
  }
  $ troupe show 1
  run #1 of history: succeeded
    id  <uuid>
    started  <local time> (<ago>)
    finished  <local time>, took <duration>
    asked  everything
    assets  3 succeeded
  
  ASSET  STATUS  TRIES  DURATION  WHY
  numbers  succeeded  1  <duration>  never materialized
  sum  succeeded  1  <duration>  never materialized
  report  succeeded  1  <duration>  never materialized
  $ troupe show '#2'
  run #2 of history: succeeded
    id  <uuid>
    started  <local time> (<ago>)
    finished  <local time>, took <duration>
    asked  sum --param n=4
    assets  2 succeeded
  
  ASSET  STATUS  TRIES  DURATION  WHY
  numbers  succeeded  1  <duration>  param changed: n: 3 -> 4
  sum  succeeded  1  <duration>  input changed: numbers.txt
  $ troupe show 3
  run #3 of history: failed
    id  <uuid>
    started  <local time> (<ago>)
    finished  <local time>, took <duration>
    asked  --param n=5
    assets  1 failed, 1 blocked, 1 succeeded
  
  ASSET  STATUS  TRIES  DURATION  WHY
  numbers  succeeded  1  <duration>  param changed: n: 4 -> 5
  sum  failed  1  <duration>  exit status 1
  report  blocked  blocked by sum
  
  failed: sum (attempt 1): exit status 1
    log: .troupe/logs/3/sum.1.log
    | 15
  $ troupe show 4
  run #4 of history: succeeded
    id  <uuid>
    started  <local time> (<ago>)
    finished  <local time>, took <duration>
    asked  numbers --param n=5 --only --force
    assets  1 succeeded
  
  ASSET  STATUS  TRIES  DURATION  WHY
  numbers  succeeded, unchanged  1  <duration>  forced
  $ troupe show 9
  error: there is no run "9": give a number (#4), at least 4 characters of an id, or "latest" (see troupe runs)
  [2]
  $ troupe show --json 3 | jq -c '[.number, .status, .counts, .assets.sum.error, .assets.sum.exit_code, .assets.report.because]'
  [3,"failed",{"succeeded":1,"failed":1,"blocked":1},"exit status 1",1,"sum"]
  $ troupe show $(troupe show 2 --json | jq -r .run) | head -1
  run #2 of history: succeeded
  $ troupe show $(troupe show 2 --json | jq -r .run | cut -c 1-4) 2>&1 | sed 's/"01[0-9a-f]*"/<prefix>/'
  error: <prefix> could be any of #4 #3 #2 #1: give more of the id, or the number

Each attempt has its output.

  $ for run in 1 2 3; do troupe logs numbers --run $run; troupe logs sum --run $run; done
  3 numbers
  6
  4 numbers
  10
  5 numbers
  15
  $ troupe logs sum
  15
  $ troupe logs report --run 1
  attempt 1 at report in run #1 wrote nothing
  $ troupe logs report --run 2
  error: run #2 has no asset 'report'
  [2]

Why it ran then, or did not.

  $ for run in 1 2 3 4; do troupe explain sum --run $run; done | grep -v -e waited -e 'was there'
  sum of history
    needs  numbers
    needed by  report
  
  in run #1 (<local time>, succeeded): succeeded
    - It ran and succeeded in <duration>; its data version changed.
    - It had never been materialized: no attempt at it had succeeded yet.
    - Its command used <duration> of processor time (<duration> user, <duration> system) and <size> of memory.
    log: .troupe/logs/1/sum.1.log
  sum of history
    needs  numbers
    needed by  report
  
  in run #2 (<local time>, succeeded): succeeded
    - It ran and succeeded in <duration>; its data version changed.
    - The content of its input numbers.txt had changed.
    - Its command used <duration> of processor time (<duration> user, <duration> system) and <size> of memory.
    log: .troupe/logs/2/sum.1.log
  sum of history
    needs  numbers
    needed by  report
  
  in run #3 (<local time>, failed): failed
    - It ran and failed (one attempt): exit status 1.
    - The content of its input numbers.txt had changed.
    - Its command used <duration> of processor time (<duration> user, <duration> system) and <size> of memory.
    log: .troupe/logs/3/sum.1.log
  sum of history
    needs  numbers
    needed by  report
  
  in run #4 (<local time>, succeeded): not part of it
    - It was not part of the run: the run's selection leaves it out, or it did not exist yet.
  $ troupe explain report --run 3 | grep -v -e waited -e 'was there'
  report of history
    needs  sum
    needed by  nothing
  
  in run #3 (<local time>, failed): blocked
    - It was not run: it needs sum, which did not succeed.
  $ troupe explain report --run 2
  report of history
    needs  sum
    needed by  nothing
  
  in run #2 (<local time>, succeeded): not part of it
    - It was not part of the run: the run's selection leaves it out, or it did not exist yet.
  $ troupe explain sum
  sum of history
    needs  numbers
    needed by  report
  
  failed: the last attempt failed, and a run now would try again
    - The content of its input numbers.txt has changed since.
    - Its output sum.txt is not as it was produced: an attempt that did not succeed may have written it.
    - The last attempt at it did not succeed: it failed.
  
  last made in run #2, <local time> (<ago>), in <duration>; data version <digest>
  last ran in run #3, attempt 1 (<ago>): it failed; it ran because
    - The content of its input numbers.txt had changed.
  $ troupe explain sum --param n=5
  sum of history
    needs  numbers
    needed by  report
  
  failed: the last attempt failed, and a run now would try again
    - The content of its input numbers.txt has changed since.
    - Its output sum.txt is not as it was produced: an attempt that did not succeed may have written it.
    - The last attempt at it did not succeed: it failed.
  
  last made in run #2, <local time> (<ago>), in <duration>; data version <digest>
  last ran in run #3, attempt 1 (<ago>): it failed; it ran because
    - The content of its input numbers.txt had changed.

A run in which nothing was to do is listed, too, and does not count among those that are kept.

  $ troupe run >/dev/null; troupe run; troupe run; troupe run
  all fresh: 3 assets, nothing to do (<n> ms)
  all fresh: 3 assets, nothing to do (<n> ms)
  all fresh: 3 assets, nothing to do (<n> ms)
  $ troupe runs | awk '{ print $1, $3 }'
  RUN STATUS
  #8 succeeded
  #7 succeeded
  #6 succeeded
  #5 succeeded
  #4 succeeded
  #3 failed
  #2 succeeded
  #1 succeeded

The oldest give way; what is true now stays.

  $ for i in 1 2 3; do troupe run --force --only report >/dev/null; done
  $ troupe runs | awk '{ print $1, $3 }'
  RUN STATUS
  #11 succeeded
  #10 succeeded
  #9 succeeded
  #8 succeeded
  #7 succeeded
  #6 succeeded
  #5 succeeded
  #4 succeeded
  $ troupe show 1
  error: run #1 is no longer kept: the oldest kept is #4 (engine.keep_runs says how many are kept)
  [2]
  $ troupe logs numbers --run 1
  error: run #1 is no longer kept: the oldest kept is #4 (engine.keep_runs says how many are kept)
  [2]
  $ ls .troupe/logs
  4
  5
  $ troupe plan
  history: 0 to run, 0 may run, 3 fresh
  $ troupe explain numbers | sed 's/ [0-9a-f]\{32\}/ <version>/'
  numbers of history
    needs  nothing
    needed by  sum
  
  fresh: a run now would not execute it
    - Nothing it is made from has changed since it was last made, and its outputs are as it left them.
  
  last made in run #5, <local time> (<ago>), in <duration>; data version <version>
  last ran in run #5, attempt 1 (<ago>): it succeeded; it ran because
    - The param n, which it uses, had another value than it had been made with.
  $ troupe journal verify --json | jq -c '[.ok, .problems]'
  [true,[]]

Logs give way by their age; the run remains.

  $ sed -i 's/"keep_runs": 4/"keep_logs": "7d"/' troupe.json
  $ troupe run --force numbers >/dev/null; troupe show --json | jq .number > number
  $ troupe logs numbers --run $(cat number)
  3 numbers
  $ touch -d '8 days ago' .troupe/logs/$(cat number)
  $ eventually sh -c 'troupe run --force --only report; test ! -e .troupe/logs/$(cat number)'
  $ troupe logs numbers
  attempt 1 at numbers in run #12 wrote output, but its log is gone (engine.keep_logs says how long logs are kept)
