An asset that produces what was there before makes nothing downstream stale.

  $ cat > troupe.json <<'END'
  > {
  >   "name": "words",
  >   "assets": {
  >     "sorted": { "description": "The words in order", "command": "sort words.txt > sorted.txt", "inputs": ["words.txt"], "outputs": ["sorted.txt"] },
  >     "count": { "command": "wc -l < sorted.txt > count.txt", "inputs": ["sorted.txt"], "outputs": ["count.txt"] },
  >   }
  > }
  > END
  $ printf 'b\na\n' > words.txt
  $ troupe run -j 1
  run #1 of words: 2 assets, 0 fresh, 1 worker
  [1/2] sorted  succeeded in <duration>
  [2/2] count  succeeded in <duration>
  run #1 succeeded in <duration>: 2 succeeded
  $ printf 'a\nb\n' > words.txt
  $ troupe plan
  ACTION  ASSET  WHY
  run  sorted  input changed: words.txt
  maybe  count  if this changes: sorted
  
  words: 1 to run, 1 may run, 0 fresh
  $ troupe explain sorted
  sorted of words
    The words in order
    needs  nothing
    needed by  count
  
  stale: a run now would execute it
    - The content of its input words.txt has changed since.
  
  last made in run #1, <local time> (<ago>), in <duration>; data version <digest>
  last ran in run #1, attempt 1 (<ago>): it succeeded; it ran because
    - It had never been materialized: no attempt at it had succeeded yet.
  $ troupe explain count
  count of words
    needs  sorted
    needed by  nothing
  
  may run: that is not known before what it needs has run
    - It needs sorted, which will or may run first. If that ends up with the data version it has, it is spared (early cut-off); otherwise it runs.
  
  last made in run #1, <local time> (<ago>), in <duration>; data version <digest>
  last ran in run #1, attempt 1 (<ago>): it succeeded; it ran because
    - It had never been materialized: no attempt at it had succeeded yet.
  $ troupe run -j 1
  run #2 of words: 2 assets, 0 fresh, 1 worker, about <duration>
  [1/2] sorted  succeeded in <duration>, unchanged
  [2/2] count  fresh after all: what it is made from did not change
  run #2 succeeded in <duration>: 1 succeeded, 1 fresh; 1 produced what was there before; early cut-off spared 1 asset
  $ troupe explain count
  count of words
    needs  sorted
    needed by  nothing
  
  fresh: a run now would not execute it
    - Nothing it is made from has changed since it was last made, and its outputs are as it left them.
  
  last made in run #1, <local time> (<ago>), in <duration>; data version <digest>
  last ran in run #1, attempt 1 (<ago>): it succeeded; it ran because
    - It had never been materialized: no attempt at it had succeeded yet.
  $ troupe explain count --run latest
  count of words
    needs  sorted
    needed by  nothing
  
  in run #2 (<local time>, succeeded): fresh
    - It was not run: it was fresh. Nothing it is made from had changed, or what ran before it produced the data versions that were there already (early cut-off).
  $ troupe explain sorted --run 2 | grep -v -e waited -e "was there"
  sorted of words
    The words in order
    needs  nothing
    needed by  count
  
  in run #2 (<local time>, succeeded): succeeded
    - It ran and succeeded in <duration>; its data version stayed the same, so it made nothing downstream stale.
    - The content of its input words.txt had changed.
    - Its command used <duration> of processor time (<duration> user, <duration> system) and <size> of memory.
  $ troupe explain sorted --run 9
  error: there is no run "9": give a number (#2), at least 4 characters of an id, or "latest" (see troupe runs)
  [2]
  $ troupe explain sortd
  error: there is no asset 'sortd' in words; did you mean "sorted"?
  [2]
  $ troupe explain count --json | keys
  action asset downstream format fresh last last_attempt pipeline reasons state upstream
  $ troupe explain count --run 2 --json | json
  {
   "asset": "count",
   "explanation": [
    "It was not run: it was fresh. Nothing it is made from had changed, or what ran before it produced the data versions that were there already (early cut-off)."
   ],
   "format": 1,
   "number": 2,
   "pipeline": "words",
   "result": {
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
   },
   "run": "<uuid>"
  }
  $ troupe plan --json | json
  {
   "assets": {
    "count": {
     "action": "fresh",
     "reasons": []
    },
    "sorted": {
     "action": "fresh",
     "reasons": []
    }
   },
   "format": 1,
   "order": [
    "sorted",
    "count"
   ],
   "pipeline": "words",
   "warnings": []
  }
  $ troupe status --json | keys assets.count.last
  data_version duration_ms finished_at number run
  $ troupe status 'c*'
  ASSET  STATE  LAST MADE  RUN  DURATION  DATA VERSION  WHY
  count  fresh  <ago>  #1  <duration>  9e10fd0ba5c2
  
  words: 1 of 1 asset fresh

What somebody removed or changed is made again first: what reads it may run, and is spared if it comes out as it was.

  $ rm sorted.txt; troupe plan
  ACTION  ASSET  WHY
  run  sorted  output missing: sorted.txt
  maybe  count  if this changes: sorted
  
  words: 1 to run, 1 may run, 0 fresh
  $ troupe status | awk '{ print $1, $2 }'
  ASSET STATE
  sorted stale
  count may
  
  words: 0
  $ troupe run -j 1
  run #3 of words: 2 assets, 0 fresh, 1 worker, about <duration>
  [1/2] sorted  succeeded in <duration>, unchanged
  [2/2] count  fresh after all: what it is made from did not change
  run #3 succeeded in <duration>: 1 succeeded, 1 fresh; 1 produced what was there before; early cut-off spared 1 asset
  $ echo spoilt > sorted.txt; troupe plan --json | jq -c .assets.count
  {"action":"maybe","reasons":[{"kind":"upstream_changed","detail":"sorted"}]}
  $ troupe plan --exclude sorted
  ACTION  ASSET  WHY
  run  count  input changed: sorted.txt
  
  words: 1 to run, 0 may run, 0 fresh
  $ rm sorted.txt; troupe plan count --exclude sorted
  ACTION  ASSET  WHY
  run  count  input removed: sorted.txt
  
  words: 1 to run, 0 may run, 0 fresh
