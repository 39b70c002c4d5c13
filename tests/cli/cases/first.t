From nothing to a pipeline that is up to date.

  $ troupe init
  wrote troupe.json; `troupe run` runs it
  $ sed -i 's/"name": "[^"]*"/"name": "first"/' troupe.json # it has the name of its folder
  $ troupe init
  error: troupe.json is there already; nothing was changed
  [2]
  $ troupe validate
  troupe.json: valid: 5 assets, 5 dependencies
  $ troupe plan
  ACTION  ASSET  WHY
  run  numbers  never materialized
  run  squares  never materialized
  run  digits[numbers]  never materialized
  run  digits[squares]  never materialized
  run  report  never materialized
  
  first: 5 to run, 0 may run, 0 fresh
  $ troupe run -j 1
  run #1 of first: 5 assets, 0 fresh, 1 worker
  [1/5] numbers  succeeded in <duration>
  [2/5] squares  succeeded in <duration>
  [3/5] digits[numbers]  succeeded in <duration>
  [4/5] digits[squares]  succeeded in <duration>
  [5/5] report  succeeded in <duration>
  run #1 succeeded in <duration>: 5 succeeded
  1 asset printed something: troupe logs
  $ troupe run
  all fresh: 5 assets, nothing to do (<n> ms)
  $ cat report.txt
  digits of numbers and squares
  31
  48
  $ troupe status
  ASSET  STATE  LAST MADE  RUN  DURATION  DATA VERSION  WHY
  numbers  fresh  <ago>  #1  <duration>  633e1b1861b9
  squares  fresh  <ago>  #1  <duration>  36ad8eb7a189
  digits[numbers]  fresh  <ago>  #1  <duration>  45d61a5ab9ce
  digits[squares]  fresh  <ago>  #1  <duration>  157880175424
  report  fresh  <ago>  #1  <duration>  ee559d5c070a
  
  first: 5 of 5 assets fresh
  $ troupe logs report
  digits of numbers and squares
  31
  48
  $ troupe run --json | keys
  all fresh: 5 assets, nothing to do (<n> ms)
  assets cause continued_by continues counts duration_ms finished_at format number pipeline queued_at reason run started_at status
  $ troupe run -j 2 --json --force --only report 2>progress | keys assets.report
  allowed attempts because changed data_version duration_ms error exit_code log metadata reasons resources signal started_at status waits warnings
  $ cat progress
  run #4 of first: 1 asset, 0 fresh, 2 workers, about <duration>
  [1/1] report  succeeded in <duration>, unchanged
  run #4 succeeded in <duration>: 1 succeeded; 1 produced what was there before
  1 asset printed something: troupe logs

Another value of a param makes stale what uses it; early cut-off can spare the rest.

  $ troupe plan --param n=21
  ACTION  ASSET  WHY
  run  numbers  param changed: n: 20 -> 21
  maybe  squares  if this changes: numbers
  maybe  digits[numbers]  if this changes: numbers
  maybe  digits[squares]  if this changes: squares
  maybe  report  if this changes: digits[numbers], digits[squares]
  
  first: 1 to run, 4 may run, 0 fresh
  $ troupe plan --param n=21 --json | json
  {
   "assets": {
    "digits[numbers]": {
     "action": "maybe",
     "reasons": [
      {
       "detail": "numbers",
       "kind": "upstream_changed"
      }
     ]
    },
    "digits[squares]": {
     "action": "maybe",
     "reasons": [
      {
       "detail": "squares",
       "kind": "upstream_changed"
      }
     ]
    },
    "numbers": {
     "action": "run",
     "reasons": [
      {
       "detail": "n",
       "kind": "param_changed",
       "now": "21",
       "was": "20"
      }
     ]
    },
    "report": {
     "action": "maybe",
     "reasons": [
      {
       "detail": "digits[numbers]",
       "kind": "upstream_changed"
      },
      {
       "detail": "digits[squares]",
       "kind": "upstream_changed"
      }
     ]
    },
    "squares": {
     "action": "maybe",
     "reasons": [
      {
       "detail": "numbers",
       "kind": "upstream_changed"
      }
     ]
    }
   },
   "format": 1,
   "order": [
    "numbers",
    "squares",
    "digits[numbers]",
    "digits[squares]",
    "report"
   ],
   "pipeline": "first",
   "warnings": []
  }
  $ troupe graph
  first: 5 assets, 5 dependencies; 5 fresh
  
  1  ● numbers  fresh
  2  ● squares  fresh  ← numbers
     ● digits[numbers]  fresh  ← numbers
  3  ● digits[squares]  fresh  ← squares
  4  ● report  fresh  ← digits[*]
