Every mistake of a pipeline file is reported with its place; nothing is run.

  $ cat > troupe.json <<'END'
  > {
  >   "name": "x y",
  >   "assets": {
  >     "a": { "comand": "true" },
  >     "b": { "command": "true", "deps": ["c"], "timeout": "5 parsecs" },
  >   }
  > }
  > END
  $ troupe validate
  troupe.json:2:11: error: "x y" is no name for a pipeline: only letters, digits, _, . and - may stand in a name [bad_name]
        "name": "x y",
                ^
  troupe.json:4:12: error: unknown key "comand" in an asset; did you mean "command"? [unknown_key]
          "a": { "comand": "true" },
                 ^
  troupe.json:5:40: error: there is no asset "c" [unknown_dependency]
          "b": { "command": "true", "deps": ["c"], "timeout": "5 parsecs" },
                                             ^
  troupe.json:5:57: error: "timeout" has to be a duration such as "30s" (units ms, s, m, h, d), a whole number up to 36500d; found "5 parsecs" [bad_duration]
      …true", "deps": ["c"], "timeout": "5 parsecs" },
                                        ^
  
  troupe.json: 4 errors
  [2]
  $ troupe validate --json | json
  {
   "errors": [
    {
     "code": "bad_name",
     "column": 11,
     "file": "troupe.json",
     "line": 2,
     "message": "\"x y\" is no name for a pipeline: only letters, digits, _, . and - may stand in a name"
    },
    {
     "code": "unknown_key",
     "column": 12,
     "file": "troupe.json",
     "line": 4,
     "message": "unknown key \"comand\" in an asset; did you mean \"command\"?"
    },
    {
     "code": "unknown_dependency",
     "column": 40,
     "file": "troupe.json",
     "line": 5,
     "message": "there is no asset \"c\""
    },
    {
     "code": "bad_duration",
     "column": 57,
     "file": "troupe.json",
     "line": 5,
     "message": "\"timeout\" has to be a duration such as \"30s\" (units ms, s, m, h, d), a whole number up to 36500d; found \"5 parsecs\""
    }
   ],
   "format": 1,
   "ok": false,
   "warnings": []
  }
  $ troupe run
  troupe.json:2:11: error: "x y" is no name for a pipeline: only letters, digits, _, . and - may stand in a name [bad_name]
        "name": "x y",
                ^
  troupe.json:4:12: error: unknown key "comand" in an asset; did you mean "command"? [unknown_key]
          "a": { "comand": "true" },
                 ^
  troupe.json:5:40: error: there is no asset "c" [unknown_dependency]
          "b": { "command": "true", "deps": ["c"], "timeout": "5 parsecs" },
                                             ^
  troupe.json:5:57: error: "timeout" has to be a duration such as "30s" (units ms, s, m, h, d), a whole number up to 36500d; found "5 parsecs" [bad_duration]
      …true", "deps": ["c"], "timeout": "5 parsecs" },
                                        ^
  error: troupe.json: 4 mistakes; nothing was run
  [2]
  $ troupe run --json 2>/dev/null | json
  {
   "error": {
    "code": "invalid_input",
    "message": "troupe.json: 4 mistakes; nothing was run"
   },
   "errors": [
    {
     "code": "bad_name",
     "column": 11,
     "file": "troupe.json",
     "line": 2,
     "message": "\"x y\" is no name for a pipeline: only letters, digits, _, . and - may stand in a name"
    },
    {
     "code": "unknown_key",
     "column": 12,
     "file": "troupe.json",
     "line": 4,
     "message": "unknown key \"comand\" in an asset; did you mean \"command\"?"
    },
    {
     "code": "unknown_dependency",
     "column": 40,
     "file": "troupe.json",
     "line": 5,
     "message": "there is no asset \"c\""
    },
    {
     "code": "bad_duration",
     "column": 57,
     "file": "troupe.json",
     "line": 5,
     "message": "\"timeout\" has to be a duration such as \"30s\" (units ms, s, m, h, d), a whole number up to 36500d; found \"5 parsecs\""
    }
   ],
   "format": 1
  }
  $ ls -a
  .
  ..
  troupe.json
  $ troupe run -f nowhere.json
  nowhere.json: error: cannot read nowhere.json: there is no such file; -f FILE names another, troupe init writes one [cannot_read]
  error: nowhere.json: 1 mistake; nothing was run
  [2]
  $ troupe validate -f nowhere.json --json | json
  {
   "errors": [
    {
     "code": "cannot_read",
     "column": 0,
     "file": "nowhere.json",
     "line": 0,
     "message": "cannot read nowhere.json: there is no such file; -f FILE names another, troupe init writes one"
    }
   ],
   "format": 1,
   "ok": false,
   "warnings": []
  }
  $ echo '{ "name": "loop", "assets": { "a": { "command": "true", "deps": ["b"] }, "b": { "command": "true", "deps": ["a"] } } }' | troupe validate -f -
  -:1:31: error: these assets need each other: a -> b -> a; a needs b: named in its deps; b needs a: named in its deps [cycle]
  
  -: 1 error
  [2]
  $ cat > good.json <<'END'
  > { "name": "good", "params": { "n": 1 }, "assets": { "a": { "command": "sh tool.sh {{ params.n }}" } } }
  > END
  $ echo true > tool.sh
  $ troupe validate -f good.json
  good.json:1:71: warning: tool.sh is in the command of "a" but not in inputs: editing it will re-run nothing [undeclared_file]
      …}, "assets": { "a": { "command": "sh tool.sh {{ params.n }}" } } }
                                        ^
  
  good.json: valid: 1 asset, 0 dependencies, 1 warning
  $ troupe plan -f good.json nothing
  good.json:1:71: warning: tool.sh is in the command of "a" but not in inputs: editing it will re-run nothing [undeclared_file]
      …}, "assets": { "a": { "command": "sh tool.sh {{ params.n }}" } } }
                                        ^
  error: selection "nothing": no asset is named "nothing"
  [2]
  $ troupe plan -f good.json --param n
  error: --param takes NAME=VALUE, not 'n'
  [2]
  $ troupe plan -f good.json --param m=2
  good.json: error: --param m: the pipeline has no param "m" [unknown_param]
  error: good.json: 1 mistake; nothing was run
  [2]
  $ troupe run -f good.json --state good.json
  good.json:1:71: warning: tool.sh is in the command of "a" but not in inputs: editing it will re-run nothing [undeclared_file]
      …}, "assets": { "a": { "command": "sh tool.sh {{ params.n }}" } } }
                                        ^
  error: state <folder>/good.json: cannot use it: Not a directory
  [3]
  $ troupe graph -f good.json --no-status --format pdf
  error: --format takes text, dot, mermaid, svg or json, not 'pdf'
  'troupe graph --help' tells more
  [2]
