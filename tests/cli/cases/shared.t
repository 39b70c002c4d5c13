Two pipelines in one state: each is asked about its own assets and runs.

  $ echo '{ "name": "one", "assets": { "a": { "command": "echo of one" }, "only_one": { "command": "echo single" } } }' > one.json
  $ echo '{ "name": "two", "assets": { "a": { "command": "echo of two" } } }' > two.json
  $ troupe run -f one.json >/dev/null; troupe run -f two.json >/dev/null
  $ troupe runs -f one.json
  RUN  PIPELINE  STATUS  STARTED  DURATION  ASSETS
   #2  two  succeeded  <local time> (<ago>)  <duration>  1 succeeded
   #1  one  succeeded  <local time> (<ago>)  <duration>  2 succeeded
  $ troupe logs -f one.json a
  of one
  $ troupe logs -f two.json a
  of two
  $ troupe logs -f two.json only_one
  error: no run executed an asset 'only_one'
  [2]
  $ troupe logs --state .troupe a
  of two
  $ troupe explain -f one.json a --run latest | sed -n 5,6p
  in run #1 (<local time>, succeeded): succeeded
    - It ran and succeeded in <duration>; its data version changed.
  $ troupe explain -f one.json a --run 2
  error: run #2 is of the pipeline two, not of one
  [2]

Metadata that a command reports is shown.

  $ echo '{ "name": "three", "assets": { "m": { "command": "echo {\\\"metadata\\\": {\\\"rows\\\": 42}} > $TROUPE_RESULT" } } }' > three.json
  $ troupe run -f three.json >/dev/null; troupe explain -f three.json m | grep metadata
    metadata {"rows":42}
  $ troupe show --json | jq -c .assets.m.metadata
  {"rows":42}

What a command makes of the file for its result does not stay.

  $ echo '{ "name": "four", "assets": { "odd": { "command": "mkdir -p $TROUPE_RESULT/deep; exit 1" } } }' > four.json
  $ troupe run -f four.json >/dev/null
  [1]
  $ ls .troupe/results
