What fails, what it blocks, what is retried, what is allowed to fail.

  $ cat > troupe.json <<'END'
  > {
  >   "name": "trouble",
  >   "engine": { "error_strategy": "continue" },
  >   "assets": {
  >     "fine": { "command": "true" },
  >     "flaky": { "command": "test -e flag || { touch flag; echo not yet; exit 75; }", "retry": { "attempts": 2, "delay": "1ms", "on_exit_codes": [75] } },
  >     "bad": { "command": "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done; exit 3", "deps": ["fine"] },
  >     "after": { "command": "true", "deps": ["bad"] },
  >     "loose": { "command": "exit 4", "allow_failure": true },
  >     "with_loose": { "command": "true", "deps": ["loose"] },
  >     "nowhere": { "command": ["./no-such-program"] },
  >     "silent": { "command": "true", "outputs": ["silent.txt"] },
  >     "needs_file": { "command": "cat missing.txt", "inputs": ["missing.txt"], "priority": 1 },
  >   }
  > }
  > END
  $ troupe run -j 1 --exclude flaky
  run #1 of trouble: 8 assets, 0 fresh, 1 worker
  warning: asset needs_file: input "missing.txt" does not exist and no asset makes it: create it, or correct "inputs" [missing_input]
  [1/8] needs_file  failed before it started: input "missing.txt" does not exist and no asset makes it: create it, or correct "inputs"
  [2/8] fine  succeeded in <duration>
  [3/8] bad  failed after <duration>: exit status 3
  [4/8] after  blocked by bad
  [5/8] loose  failed after <duration>: exit status 4 (allowed to fail)
  [6/8] with_loose  succeeded in <duration>
  [7/8] nowhere  failed after <duration>: the command "./no-such-program" does not exist
  [8/8] silent  failed after <duration>: the command ended well, but its output "silent.txt" is not there: write it, or correct "outputs"
  
  failed: bad (attempt 1): exit status 3
    command: for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done; exit 3
    log: .troupe/logs/1/bad.1.log
    | line 3
    | line 4
    | line 5
    | line 6
    | line 7
    | line 8
    | line 9
    | line 10
    | line 11
    | line 12
  
  failed (allowed to): loose (attempt 1): exit status 4
    command: exit 4
  
  failed: nowhere (attempt 1): the command "./no-such-program" does not exist
    command: ./no-such-program
  
  failed: silent (attempt 1): the command ended well, but its output "silent.txt" is not there: write it, or correct "outputs"
    command: true
  
  failed: needs_file: input "missing.txt" does not exist and no asset makes it: create it, or correct "inputs"
    command: cat missing.txt
  
  run #1 failed in <duration>: 5 failed, 1 blocked, 2 succeeded
  allowed to fail: loose
  troupe show 1 tells more; troupe resume 1 goes on with it
  [1]
  $ troupe run -j 2 flaky
  run #2 of trouble: 1 asset, 0 fresh, 2 workers
  flaky  attempt 1 failed: exit status 75; attempt 2 in <duration>
  [1/1] flaky  succeeded in <duration>
  run #2 succeeded in <duration>: 1 succeeded

Each attempt is on record with its times, its end and its log.
  $ troupe show --json | json | grep -A 40 each_attempt | grep -e attempt -e outcome -e exit_code -e log
     "each_attempt": [
       "attempt": 1,
       "exit_code": 75,
       "log": "<folder>/.troupe/logs/2/flaky.1.log",
       "outcome": "exited",
       "attempt": 2,
       "exit_code": 0,
       "log": null,
       "outcome": "succeeded",
  $ troupe show 1
  run #1 of trouble: failed
    id  <uuid>
    started  <local time> (<ago>)
    finished  <local time>, took <duration>
    asked  --exclude flaky
    assets  5 failed, 1 blocked, 2 succeeded
  
  ASSET  STATUS  TRIES  DURATION  WHY
  fine  succeeded  1  <duration>  never materialized
  bad  failed  1  <duration>  exit status 3
  after  blocked  blocked by bad
  loose  failed, allowed  1  <duration>  exit status 4
  with_loose  succeeded  1  <duration>  never materialized
  nowhere  failed  1  <duration>  the command "./no-such-program" does not exist
  silent  failed  1  <duration>  the command ended well, but its output "silent.txt" is not there: write it, or correct "outputs"
  needs_file  failed  input "missing.txt" does not exist and no asset makes it: create it, or correct "inputs"
  
  failed: bad (attempt 1): exit status 3
    log: .troupe/logs/1/bad.1.log
    | line 3
    | line 4
    | line 5
    | line 6
    | line 7
    | line 8
    | line 9
    | line 10
    | line 11
    | line 12
  
  failed (allowed to): loose (attempt 1): exit status 4
  
  failed: nowhere (attempt 1): the command "./no-such-program" does not exist
  
  failed: silent (attempt 1): the command ended well, but its output "silent.txt" is not there: write it, or correct "outputs"
  
  failed: needs_file: input "missing.txt" does not exist and no asset makes it: create it, or correct "inputs"
  $ troupe run bad --json 2>/dev/null | json
  {
   "assets": {
    "bad": {
     "allowed": false,
     "attempts": 1,
     "because": null,
     "changed": false,
     "data_version": null,
     "duration_ms": <n>,
     "error": "exit status 3",
     "exit_code": 3,
     "log": "<folder>/.troupe/logs/3/bad.1.log",
     "metadata": null,
     "reasons": [
      {
       "detail": "",
       "kind": "never_materialized"
      },
      {
       "detail": "failed",
       "kind": "last_attempt_failed"
      }
     ],
     "resources": {
      "peak_is_bound": <flag>,
      "peak_memory_bytes": <n>,
      "read_bytes": <n>,
      "system_ms": <n>,
      "user_ms": <n>,
      "written_bytes": <n>
     },
     "signal": null,
     "started_at": "<time>",
     "status": "failed",
     "waits": [<waits>],
     "warnings": []
    },
    "fine": {
     "allowed": false,
     "attempts": 0,
     "because": null,
     "changed": false,
     "data_version": "<digest>",
     "duration_ms": null,
     "error": null,
     "exit_code": null,
     "log": null,
     "metadata": null,
     "reasons": [],
     "resources": null,
     "signal": null,
     "started_at": null,
     "status": "fresh",
     "waits": [<waits>],
     "warnings": []
    }
   },
   "cause": {
    "by": null,
    "events": [],
    "kind": "user",
    "trigger": null
   },
   "continued_by": null,
   "continues": null,
   "counts": {
    "failed": 1,
    "fresh": 1
   },
   "duration_ms": <n>,
   "finished_at": "<time>",
   "format": 1,
   "number": 3,
   "pipeline": "trouble",
   "queued_at": null,
   "reason": null,
   "run": "<uuid>",
   "started_at": "<time>",
   "status": "failed"
  }
  $ troupe logs bad | tail -1
  line 12
  $ troupe logs flaky --run 2 --attempt 1
  not yet
  $ troupe logs flaky
  not yet
  $ troupe logs after --run 1
  after was not executed in run #1 (blocked)
  $ troupe logs bda
  error: no run executed an asset 'bda'; did you mean "bad"?
  [2]
  $ troupe logs bad --run 1 --attempt 9
  error: bad had 1 attempt in run #1
  [2]
  $ troupe logs bad --json --run 1 | keys
  asset attempt format log number run text
  $ troupe explain bad --run 1 | grep -v -e waited -e "was there"
  bad of trouble
    needs  fine
    needed by  after
  
  in run #1 (<local time>, failed): failed
    - It ran and failed (one attempt): exit status 3.
    - It had never been materialized: no attempt at it had succeeded yet.
    - Its command used <duration> of processor time (<duration> user, <duration> system) and <size> of memory.
    log: .troupe/logs/1/bad.1.log
  $ troupe explain after --run 1
  after of trouble
    needs  bad
    needed by  nothing
  
  in run #1 (<local time>, failed): blocked
    - It was not run: it needs bad, which did not succeed.
  $ troupe explain bad
  bad of trouble
    needs  fine
    needed by  after
  
  failed: the last attempt failed, and a run now would try again
    - It has never been materialized: no attempt at it has succeeded yet.
    - The last attempt at it did not succeed: it failed.
  
  never made
  last ran in run #3, attempt 1 (<ago>): it failed; it ran because
    - It had never been materialized: no attempt at it had succeeded yet.
    - The last attempt at it had not succeeded: it failed.
  $ troupe run -j 1 loose
  run #4 of trouble: 1 asset, 0 fresh, 1 worker, about <duration>
  [1/1] loose  failed after <duration>: exit status 4 (allowed to fail)
  
  failed (allowed to): loose (attempt 1): exit status 4
    command: exit 4
  
  run #4 succeeded in <duration>: 1 failed
  allowed to fail: loose
  $ troupe run -j 1 --error-strategy fail_fast silent bad
  run #5 of trouble: 3 assets, 1 fresh, 1 worker
  [1/2] bad  failed after <duration>: exit status 3
  stopping after a failure: nothing more is started
  not started: silent
  
  failed: bad (attempt 1): exit status 3
    command: for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done; exit 3
    log: .troupe/logs/5/bad.1.log
    | line 3
    | line 4
    | line 5
    | line 6
    | line 7
    | line 8
    | line 9
    | line 10
    | line 11
    | line 12
  
  run #5 failed in <duration>: 1 failed, 1 cancelled, 1 fresh
  troupe show 5 tells more; troupe resume 5 goes on with it
  [1]
