A run that goes on, and what others see of it meanwhile. Reading takes no lock.

  $ cat > troupe.json <<'END'
  > {
  >   "name": "live",
  >   "engine": { "workers": 1, "grace_period": "1h" },
  >   "assets": {
  >     "first": { "command": "echo one" },
  >     "long": { "command": "echo begun; touch begun; until test -e go; do sleep 0.01; done; echo goes on; echo over", "deps": ["first"] },
  >     "last": { "command": "echo the last", "deps": ["long"] }
  >   }
  > }
  > END
  $ troupe cancel
  error: there are no runs in <folder>/.troupe yet: troupe run makes one
  [2]
  $ background run troupe run
  $ eventually sh -c 'troupe show --json | jq -e ".assets.long.status == \"running\""'
  $ eventually sh -c 'troupe logs long | grep begun'
  $ troupe runs
  RUN  PIPELINE  STATUS  STARTED  DURATION  ASSETS
   #1  live  running  <local time> (<ago>)
  $ troupe show
  run #1 of live: running
    id  <uuid>
    started  <local time> (<ago>)
    asked  everything
    assets  1 running, 1 waiting, 1 succeeded
  
  ASSET  STATUS  TRIES  DURATION  WHY
  first  succeeded  1  <duration>  never materialized
  long  running  1  never materialized
  last  waiting
  $ troupe show --json | jq -c '[.status, .finished_at, .counts]'
  ["running",null,{"waiting":1,"running":1,"succeeded":1}]
  $ troupe status | sed 's/ [0-9a-f]\{12\}/ <version>/'
  ASSET  STATE  LAST MADE  RUN  DURATION  DATA VERSION  WHY
  first  fresh  <ago>  #1  <duration>  <version>
  long  running  never  never materialized; running now
  last  stale  never  never materialized
  
  live: 1 of 3 assets fresh
  $ troupe plan
  ACTION  ASSET  WHY
  run  long  never materialized; running now
  run  last  never materialized
  
  live: 2 to run, 0 may run, 1 fresh
  $ troupe logs long
  begun
  $ troupe logs last
  error: no run executed an asset 'last'
  [2]
  $ troupe explain last --run latest
  last of live
    needs  long
    needed by  nothing
  
  in run #1 (<local time>, running): waiting
    - It waits for long (running).
  $ troupe journal verify | sed 's/[0-9]* events/some events/'
  ok: some events, every record and every projection checked

Only one writes.

  $ troupe run
  error: state <folder>/.troupe is in use by process <pid> (troupe run), since <time>; wait for it, or end it with `troupe cancel`
  [3]
  $ troupe resume
  error: state <folder>/.troupe is in use by process <pid> (troupe run), since <time>; wait for it, or end it with `troupe cancel`
  [3]

What it writes, as it comes; also of an asset that has not started.

  $ background follow troupe logs --follow long
  $ background follow_last troupe logs --follow last
  $ eventually grep begun follow.out
  $ touch go
  $ ended follow
  begun
  goes on
  over
  $ ended follow_last
  the last
  $ ended run
  run #1 of live: 3 assets, 0 fresh, 1 worker
  [1/3] first  succeeded in <duration>
  [2/3] long  succeeded in <duration>
  [3/3] last  succeeded in <duration>
  run #1 succeeded in <duration>: 3 succeeded
  3 assets printed something: troupe logs
  $ troupe status | sed 's/ [0-9a-f]\{12\}/ <version>/'
  ASSET  STATE  LAST MADE  RUN  DURATION  DATA VERSION  WHY
  first  fresh  <ago>  #1  <duration>  <version>
  long  fresh  <ago>  #1  <duration>  <version>
  last  fresh  <ago>  #1  <duration>  <version>
  
  live: 3 of 3 assets fresh

Cancelled from another terminal: the command has its grace, the run is recorded as cancelled, exit status 1.

  $ rm go begun; background run troupe run --force
  $ eventually test -e begun
  $ troupe cancel
  run #2 cancelled: 1 blocked, 1 cancelled, 1 succeeded
  $ ended run
  run #2 of live: 3 assets, 0 fresh, 1 worker, about <duration>
  [1/3] first  succeeded in <duration>
  stopping: the run was cancelled
  [2/3] long  cancelled after <duration>
  [3/3] last  blocked by long
  run #2 cancelled in <duration>: 1 blocked, 1 cancelled, 1 succeeded
  1 asset printed something: troupe logs
  troupe show 2 tells more; troupe resume 2 goes on with it
  [1]
  $ troupe runs
  RUN  PIPELINE  STATUS  STARTED  DURATION  ASSETS
   #2  live  cancelled  <local time> (<ago>)  <duration>  1 blocked, 1 cancelled, 1 succeeded
   #1  live  succeeded  <local time> (<ago>)  <duration>  3 succeeded
  $ troupe cancel
  error: run #2 is not live; its status is cancelled
  [2]
  $ troupe cancel --json 1 | jq -c .error
  error: run #1 is not live; its status is succeeded
  {"code":"not_found","message":"run #1 is not live; its status is succeeded"}
  $ rm begun; background run troupe run --force
  $ eventually test -e begun
  $ troupe cancel --json latest | jq -c '[.number, .status, .counts]'
  [3,"cancelled",{"succeeded":1,"blocked":1,"cancelled":1}]
  $ ended run
  run #3 of live: 3 assets, 0 fresh, 1 worker, about <duration>
  [1/3] first  succeeded in <duration>
  stopping: the run was cancelled
  [2/3] long  cancelled after <duration>
  [3/3] last  blocked by long
  run #3 cancelled in <duration>: 1 blocked, 1 cancelled, 1 succeeded
  1 asset printed something: troupe logs
  troupe show 3 tells more; troupe resume 3 goes on with it
  [1]

Signals: the run is recorded as cancelled, and the exit status says which it was.

  $ rm -f begun; background run troupe run --force
  $ eventually test -e begun
  $ kill -INT $(cat run.pid); ended run
  run #4 of live: 3 assets, 0 fresh, 1 worker, about <duration>
  [1/3] first  succeeded in <duration>
  stopping: what runs is asked to end (a second time: it is killed)
  [2/3] long  cancelled after <duration>
  [3/3] last  blocked by long
  run #4 cancelled in <duration>: 1 blocked, 1 cancelled, 1 succeeded
  1 asset printed something: troupe logs
  troupe show 4 tells more; troupe resume 4 goes on with it
  [130]
  $ rm -f begun; background run troupe run --force --json
  $ eventually test -e begun
  $ kill -TERM $(cat run.pid); ended run >/dev/null
  [143]
  $ grep -v '^{' run.out
  run #5 of live: 3 assets, 0 fresh, 1 worker, about <duration>
  [1/3] first  succeeded in <duration>
  stopping: what runs is asked to end (a second time: it is killed)
  [2/3] long  cancelled after <duration>
  [3/3] last  blocked by long
  run #5 cancelled in <duration>: 1 blocked, 1 cancelled, 1 succeeded
  1 asset printed something: troupe logs
  troupe show 5 tells more; troupe resume 5 goes on with it
  $ jq -rR 'fromjson? | .status' run.out
  cancelled
  $ rm -f begun; background run troupe run --force
  $ eventually test -e begun
  $ kill -HUP $(cat run.pid); ended run
  run #6 of live: 3 assets, 0 fresh, 1 worker, about <duration>
  [1/3] first  succeeded in <duration>
  stopping: what runs is asked to end (a second time: it is killed)
  [2/3] long  cancelled after <duration>
  [3/3] last  blocked by long
  run #6 cancelled in <duration>: 1 blocked, 1 cancelled, 1 succeeded
  1 asset printed something: troupe logs
  troupe show 6 tells more; troupe resume 6 goes on with it
  [129]
  $ troupe runs | awk '{print $1, $3}'
  RUN STATUS
  #6 cancelled
  #5 cancelled
  #4 cancelled
  #3 cancelled
  #2 cancelled
  #1 succeeded

Who ignores the first is killed at once by the second.

  $ cat > troupe.json <<'END'
  > {
  >   "name": "stubborn",
  >   "engine": { "workers": 1, "grace_period": "1h" },
  >   "assets": { "deaf": { "command": "trap '' INT TERM; echo $$ > process_of_deaf; touch begun; while :; do sleep 0.01; done" }, "after": { "command": "true", "deps": ["deaf"] } }
  > }
  > END
  $ rm begun; background run troupe run
  $ eventually test -e begun
  $ kill -INT $(cat run.pid); eventually grep -i stopping run.out
  $ kill -0 $(cat process_of_deaf) && test ! -e run.status && echo still there
  still there
  $ kill -INT $(cat run.pid); ended run
  run #7 of stubborn: 2 assets, 0 fresh, 1 worker
  stopping: what runs is asked to end (a second time: it is killed)
  [1/2] deaf  cancelled after <duration>
  [2/2] after  blocked by deaf
  run #7 cancelled in <duration>: 1 blocked, 1 cancelled
  troupe show 7 tells more; troupe resume 7 goes on with it
  [130]
  $ kill -0 $(cat process_of_deaf) 2>/dev/null
  [1]
  $ troupe show --json | jq -c '[.status, .counts]'
  ["cancelled",{"blocked":1,"cancelled":1}]
