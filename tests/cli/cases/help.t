The program alone prints its help; so does every verb with --help.

  $ troupe
  Troupe keeps assets up to date: it runs what is stale, in parallel, and nothing else.
  
  Usage: troupe COMMAND [OPTIONS]
  
  Commands:
    run  Bring assets and all they need up to date
    plan  Show what would run, what may, and what is fresh, with the reasons
    explain  Tell why an asset is stale or fresh now, and why it last ran
    command  Print the command of an asset, to paste into a shell
    status  Show each asset: freshness, last materialization, duration, data version
    list  List assets with their outputs, tags and descriptions
    which  Tell which asset makes a file, and which read it
    history  List the runs that executed an asset
    graph  Show what depends on what, and how each asset stands
    validate  Check the pipeline file; report every mistake with its place
    triggers  List the triggers and when schedules fire next
    events  List what triggers took in, and what became of it
    queue  List the runs that wait, and what each waits for
    notify  Tell a manual trigger of a supervisor that something has happened
    runs  List the runs, newest first
    show  Show one run whole
    logs  Print what an attempt at an asset wrote, or all of a run
    resume  Continue an interrupted, failed or cancelled run as the same run
    cancel  End a live run from another terminal, and wait until it has ended; or take a queued one off the queue
    serve  Stay up: take runs on from the command line and over HTTP, and keep a queue of them
    stop  Stop the supervisor of this state; its next start resumes what was running
    reload  Have the supervisor of this state load all of its files again
    release  Give a pipeline that a supervisor had back to a state of its own
    token  Tokens for the HTTP interface of a supervisor over TCP
    clean  Remove outputs that are as their assets made them
    adopt  Take outputs that exist for what their assets would make
    journal  Check the journal, make it anew, or take it over: verify, stats, dump, rebuild, compact, trust
    init  Write a small commented pipeline to start from; nothing is overwritten
    schema  Print the JSON Schema of the pipeline file, or of another file
    completions  Print the completion script for a shell
    version  Show the version
  
  Options:
    -f, --file FILE  the pipeline file (default: troupe.json); -: standard input
    -C, --directory DIR  work as if started in that folder
        --state DIR  the state folder (default: the pipeline's state_dir)
        --pipeline NAME  with -f and a supervisor's file: which of its pipelines
        --param NAME=VALUE  another value for a param of the pipeline (may be given several times)
        --json  one JSON document on standard output instead of text
        --format FORMAT  how it is printed; json is the same as --json, ndjson one JSON object a line, as it comes: text, json, ndjson
        --color WHEN  colours: auto, always, never
        --log-level LEVEL  how much is logged to standard error: trace, debug, info, warn, error, off
        --log-format FORMAT  how log lines are written: text (default), or json, one object a line: text, json
    -h, --help  show this help
        --version  show the version
  
  Examples:
    troupe init && troupe run
        write a small pipeline into this folder and run it
    troupe plan
        what would run now, and why
    troupe runs
        what has been run
  
  'troupe COMMAND --help' tells more about a command.
  $ troupe run --help
  Bring assets and all they need up to date
  
  Usage: troupe run [OPTIONS] [SELECTION…]
  
  Arguments:
    SELECTION  what to bring up to date: name, +name (and upstream), name+ (and downstream), tag:x, group:x, globs; several are a union, a comma is an intersection; default: everything
  
  Options:
    -x, --exclude SELECTION  leave these out: they are taken as last made (may be given several times)
        --only  the selected alone, without what they need
        --force  run the selected even if they are fresh
        --failed  what failed in the last run, and what that kept from running
    -j, --workers N  how many assets may run at a time
        --error-strategy STRATEGY  what a failure means for the rest: fail_fast, continue, abort
    -k, --keep-going  the same as --error-strategy continue
    -n, --dry-run  show the plan and run nothing
    -w, --watch  run again when an input changes, until Ctrl-C
        --detach  have the supervisor of this state carry the run out, and do not wait for its end
        --output WHOSE  whose output is shown: of failed assets its end (default), of all when they end, of none, or of all as they write it: failed, all, none, live
    -q, --quiet  show only failures and warnings
    -v, --verbose  show each command as it begins; with --dry-run those of the plan
        --strict  warnings count as errors
        --assume-dead  what a run that died had started has ended: do not refuse because that cannot be seen (in a container), or because nothing but the journal says that a process is its own
        --wait[=TIME]  wait until nobody else writes the state; for TIME at most, such as 30s
  
  Global options:
    -f, --file FILE  the pipeline file (default: troupe.json); -: standard input
    -C, --directory DIR  work as if started in that folder
        --state DIR  the state folder (default: the pipeline's state_dir)
        --pipeline NAME  with -f and a supervisor's file: which of its pipelines
        --param NAME=VALUE  another value for a param of the pipeline (may be given several times)
        --json  one JSON document on standard output instead of text
        --format FORMAT  how it is printed; json is the same as --json, ndjson one JSON object a line, as it comes: text, json, ndjson
        --color WHEN  colours: auto, always, never
        --log-level LEVEL  how much is logged to standard error: trace, debug, info, warn, error, off
        --log-format FORMAT  how log lines are written: text (default), or json, one object a line: text, json
    -h, --help  show this help
  
  Examples:
    troupe run
        everything that is stale, and nothing else
    troupe run report
        the asset report and all it needs
    troupe run 'raw_*' tag:daily+
        what the glob matches, and what depends on assets tagged daily
    troupe run --force --only report
        report again, whatever its state
    troupe run --failed
        again what failed in the last run, and what that kept from running
    troupe run --watch report
        keep report up to date while its inputs are edited
    troupe run -v --output live
        with the commands, and what they write as they write it
    troupe run -j 1 --error-strategy continue
        one at a time, on past failures
  $ troupe journal --help
  Check the journal, make it anew, or take it over: verify, stats, dump, rebuild, compact, trust
  
  Usage: troupe journal COMMAND [OPTIONS]
  
  Commands:
    verify  Check every record, and every projection against a replay
    stats  Show what the journal holds, and how large it is
    dump  Print every event as one line of JSON, oldest first
    rebuild  Make every projection again from the events
    compact  Drop the runs and logs that need not be kept, and shrink the file
    trust  Take over a state that another user or another machine made
  
  Global options:
    -f, --file FILE  the pipeline file (default: troupe.json); -: standard input
    -C, --directory DIR  work as if started in that folder
        --state DIR  the state folder (default: the pipeline's state_dir)
        --pipeline NAME  with -f and a supervisor's file: which of its pipelines
        --param NAME=VALUE  another value for a param of the pipeline (may be given several times)
        --json  one JSON document on standard output instead of text
        --format FORMAT  how it is printed; json is the same as --json, ndjson one JSON object a line, as it comes: text, json, ndjson
        --color WHEN  colours: auto, always, never
        --log-level LEVEL  how much is logged to standard error: trace, debug, info, warn, error, off
        --log-format FORMAT  how log lines are written: text (default), or json, one object a line: text, json
    -h, --help  show this help
  
  Examples:
    troupe journal verify
        is every record whole, and every projection what the events say?
    troupe journal dump | jq 'select(.type == "run_started")'
        the starts of all runs

Misspelt words are answered with the nearest name.

  $ troupe rnu
  error: unknown command 'rnu'; did you mean "run"?
  'troupe --help' tells more
  [2]
  $ troupe run --dryrun
  error: unknown option '--dryrun'; did you mean "--dry-run"?
  'troupe run --help' tells more
  [2]
  $ troupe journal verfy
  error: unknown command 'verfy'; did you mean "verify"?
  'troupe journal --help' tells more
  [2]
  $ troupe run --error-strategy contnue
  error: --error-strategy takes fail_fast, continue or abort, not 'contnue'; did you mean "continue"?
  'troupe run --help' tells more
  [2]
  $ troupe run --workers none
  error: --workers takes a whole number from 1 to 10000, not 'none'
  'troupe run --help' tells more
  [2]
  $ troupe explain
  error: ASSET is missing
  'troupe explain --help' tells more
  [2]
  $ troupe show 1 2
  error: unexpected argument '2'
  'troupe show --help' tells more
  [2]
  $ troupe completions tcsh
  error: completions are for bash, zsh and fish, not 'tcsh'
  [2]
  $ troupe frobnicate
  error: unknown command 'frobnicate'
  'troupe --help' tells more
  [2]

Global options go before and after the verb.

  $ troupe --json version
  {"format":1,"version":"0.1.0"}
  $ troupe version --json
  {"format":1,"version":"0.1.0"}
  $ troupe --version
  troupe 0.1.0
