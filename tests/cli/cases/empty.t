No state yet is an empty history, and no mistake; asking for a run by its number is one.

  $ echo '{ "name": "empty", "assets": { "a": { "command": "echo hello" } } }' > troupe.json
  $ troupe runs
  no runs yet
  $ troupe show
  no runs yet
  $ troupe show --json
  {"format":1,"run":null,"number":null,"pipeline":null,"status":null,"started_at":null,"finished_at":null,"duration_ms":null,"cause":null,"queued_at":null,"continues":null,"continued_by":null,"reason":null,"counts":{},"assets":{}}
  $ troupe show 1
  error: there are no runs in <folder>/.troupe yet: troupe run makes one
  [2]
  $ troupe logs a
  no runs yet
  $ troupe logs a --json
  {"format":1,"run":null,"number":null,"asset":"a","attempt":null,"log":null,"text":null}
  $ troupe logs a --run 1
  error: there are no runs in <folder>/.troupe yet: troupe run makes one
  [2]
  $ troupe status
  ASSET  STATE  LAST MADE  RUN  DURATION  DATA VERSION  WHY
  a  stale  never  never materialized
  
  empty: 0 of 1 asset fresh
  $ troupe explain a
  a of empty
    needs  nothing
    needed by  nothing
  
  stale: a run now would execute it
    - It has never been materialized: no attempt at it has succeeded yet.
  
  never run
  $ troupe journal verify
  ok: 0 events, every record and every projection checked
  $ troupe journal dump
  $ troupe journal dump --json
  $ ls -A
  troupe.json

A wrong command line is a document, too, where one is asked for.

  $ troupe rnu --json
  {"format":1,"error":{"code":"invalid_input","message":"unknown command 'rnu'; did you mean \"run\"?"},"errors":[]}
  error: unknown command 'rnu'; did you mean "run"?
  'troupe --help' tells more
  [2]
  $ troupe run --json --exlude a 2>/dev/null | json
  {
   "error": {
    "code": "invalid_input",
    "message": "unknown option '--exlude'; did you mean \"--exclude\"?"
   },
   "errors": [],
   "format": 1
  }
  $ troupe run --workers 0 --json 2>/dev/null | jq -r .error.message
  --workers takes a whole number from 1 to 10000, not '0'
  $ troupe run -- --json 2>/dev/null
  [2]
