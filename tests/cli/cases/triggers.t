Triggers are listed without a supervisor; a run takes no notice of them.

  $ cat > troupe.json <<'END'
  > {
  >   "name": "etl", "params": { "day": "none" },
  >   "assets": { "report": { "command": "echo {{ params.day }} > out.txt", "outputs": ["out.txt"] } },
  >   "triggers": {
  >     "nightly": { "description": "after the import", "schedule": { "cron": "30 2 * * *", "timezone": "Europe/Berlin" },
  >                  "params": { "day": "{{ tick.date }}" }, "catch_up": "all" },
  >     "often": { "schedule": { "every": "90s" }, "enabled": false },
  >     "push": { "webhook": { "scheme": "unsigned" } }
  >   }
  > }
  > END
  $ troupe validate
  troupe.json: valid: 1 asset, 0 dependencies
  $ troupe triggers nightly --from 2026-03-28 --count 3
  etl/nightly: schedule, 30 2 * * * in Europe/Berlin
    after the import
    Sat 2026-03-28 02:30 CET (01:30Z)
    Sun 2026-03-29 03:00 CEST (01:00Z)
    Mon 2026-03-30 02:30 CEST (00:30Z)
  $ troupe triggers --from 2026-10-25T00:30Z --count 2 --json | json
  {
   "format": 1,
   "triggers": {
    "etl/nightly": {
     "degraded": null,
     "enabled": true,
     "kind": "schedule",
     "last": null,
     "next": [
      "<time>",
      "<time>"
     ],
     "paused": null
    },
    "etl/often": {
     "degraded": null,
     "enabled": false,
     "kind": "schedule",
     "last": null,
     "next": [],
     "paused": null
    },
    "etl/push": {
     "degraded": null,
     "enabled": true,
     "kind": "webhook",
     "last": null,
     "next": [],
     "paused": null
    }
   }
  }
  $ troupe triggers etl/pusch
  error: there is no trigger 'etl/pusch'; did you mean "etl/push"?
  [2]
  $ troupe triggers --from today
  error: --from takes a moment such as 2026-03-29T02:00Z or 2026-03-29, not 'today'
  [2]
  $ troupe run > run.txt && cat out.txt
  none
  $ sed -i 's/30 2/31 2/; s/"none"/"none" /' troupe.json && troupe plan
  etl: 0 to run, 0 may run, 1 fresh
  $ sed -i 's/tick.date/tick.day/; s/"every": "90s"/"cron": "0 0 * * ?"/' troupe.json && troupe validate
  troupe.json:6:37: error: {{ tick.day }} is no template of a trigger: there are tick.date, tick.time, tick.instant, body.PATH, header.NAME and event.id; did you mean "tick.date"? (in the param "day") [bad_template]
                       "params": { "day": "{{ tick.day }}" }, "catch_up": "all" },
                                          ^
  troupe.json:7:38: error: "0 0 * * ?": ? is of the dialect of Quartz; write * instead (in the field for the day of the week). Check the day of the week as well: Quartz counts Sunday as 1, here Sunday is 0 and Monday 1 [bad_cron]
          "often": { "schedule": { "cron": "0 0 * * ?" }, "enabled": false },
                                           ^
  
  troupe.json: 2 errors
  [2]
  $ troupe serve --check -f troupe.json --json | json
  {
   "errors": [
    {
     "code": "bad_template",
     "column": 37,
     "file": "troupe.json",
     "line": 6,
     "message": "{{ tick.day }} is no template of a trigger: there are tick.date, tick.time, tick.instant, body.PATH, header.NAME and event.id; did you mean \"tick.date\"? (in the param \"day\")"
    },
    {
     "code": "bad_cron",
     "column": 38,
     "file": "troupe.json",
     "line": 7,
     "message": "\"0 0 * * ?\": ? is of the dialect of Quartz; write * instead (in the field for the day of the week). Check the day of the week as well: Quartz counts Sunday as 1, here Sunday is 0 and Monday 1"
    }
   ],
   "format": 1,
   "ok": false,
   "warnings": []
  }
