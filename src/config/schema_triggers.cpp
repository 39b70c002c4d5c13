// The part of the schema that is about triggers. As in schema.cpp, keys and limits repeat what the parser knows.
#include "config/schema.hpp"

namespace troupe_internal::config {

std::string_view trigger_definitions() {
  // clang-format off
  static constexpr std::string_view text = R"schema(    "trigger": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "schedule": {"$ref": "#/definitions/trigger_schedule"},
        "watch": {"$ref": "#/definitions/trigger_watch"},
        "webhook": {"$ref": "#/definitions/trigger_webhook"},
        "sensor": {"$ref": "#/definitions/trigger_sensor"},
        "assets": {"$ref": "#/definitions/trigger_assets"},
        "manual": {
          "description": "Fires on request: troupe notify, troupe triggers fire",
          "type": "object",
          "properties": {"keep_keys": {"$ref": "#/definitions/key_retention"}},
          "additionalProperties": false
        },
        "start": {
          "description": "Fires once at each start of the supervisor",
          "type": "object",
          "additionalProperties": false
        },
        "description": {"description": "What it is, for people", "type": "string"},
        "enabled": {"description": "Whether it fires at all", "type": "boolean", "default": true},
        "select": {"description": "Selections of what its runs are to bring up to date; default: everything", "allOf": [{"$ref": "#/definitions/texts"}]},
        "exclude": {"description": "Selections of what they leave out", "allOf": [{"$ref": "#/definitions/texts"}]},
        "params": {
          "description": "Values of params in its runs; {{ tick.date }}, {{ tick.time }}, {{ tick.instant }}, {{ body.PATH }}, {{ header.NAME }} and {{ event.id }} are filled in",
          "type": "object",
          "additionalProperties": {"$ref": "#/definitions/scalar"}
        },
        "allow": {
          "description": "By param, a regular expression that values from outside have to match, in place of the usual rule",
          "type": "object",
          "additionalProperties": {"type": "string"}
        },
        "when": {
          "description": "An event counts only if each of these places has one of these values: {\"body.ref\": [\"refs/heads/main\"]}",
          "type": "object",
          "additionalProperties": {
            "oneOf": [
              {"$ref": "#/definitions/scalar"},
              {"type": "array", "items": {"$ref": "#/definitions/scalar"}}
            ]
          }
        },
        "overlap": {
          "description": "What becomes of an event while a run of the trigger is open",
          "type": "string",
          "enum": ["queue", "skip", "cancel", "parallel"],
          "default": "queue"
        },
        "overlap_scope": {
          "description": "Whose open runs count: the trigger's own, or all of the pipeline",
          "type": "string",
          "enum": ["trigger", "pipeline"],
          "default": "trigger"
        },
        "queue": {
          "description": "How many runs may wait, and whether each event waits for itself (all) or joins the one that waits (newest); default: 1 and newest, with params 1000 and all",
          "type": "object",
          "properties": {
            "bound": {"type": "integer", "minimum": 1, "maximum": 1000000},
            "keep": {"type": "string", "enum": ["newest", "all"]}
          },
          "additionalProperties": false
        },
        "coalesce": {
          "description": "Which events may become one run: those with equal params, or all (the last one's params count)",
          "type": "string",
          "enum": ["equal", "last"],
          "default": "equal"
        },
        "debounce": {
          "description": "Wait until no event has come for quiet, at most max (default: 10 times quiet); events with different keys wait apart",
          "type": "object",
          "properties": {
            "quiet": {"$ref": "#/definitions/positive_duration"},
            "max": {"$ref": "#/definitions/positive_duration"},
            "key": {"type": "string"}
          },
          "required": ["quiet"],
          "additionalProperties": false
        },
        "throttle": {
          "description": "At most so many runs in that time; events that come meanwhile wait",
          "type": "object",
          "properties": {
            "runs": {"type": "integer", "minimum": 1, "maximum": 100},
            "per": {"$ref": "#/definitions/positive_duration"}
          },
          "required": ["runs", "per"],
          "additionalProperties": false
        },
        "priority": {
          "description": "Among queued runs, higher ones start first",
          "type": "integer",
          "minimum": -1000000,
          "maximum": 1000000,
          "default": 0
        },
        "start_within": {"description": "An event whose run has not started this long after it is given up", "allOf": [{"$ref": "#/definitions/positive_duration"}]},
        "timeout": {"description": "A run of the trigger is ended after this long", "allOf": [{"$ref": "#/definitions/positive_duration"}]},
        "catch_up": {
          "description": "Which ticks that were missed are made up for",
          "type": "string",
          "enum": ["latest", "none", "all"],
          "default": "latest"
        },
        "catch_up_window": {"description": "Missed ticks that are older are not made up for; default 7d", "allOf": [{"$ref": "#/definitions/positive_duration"}]},
        "catch_up_max": {"description": "At most so many are made up for", "type": "integer", "minimum": 1, "maximum": 100000, "default": 100},
        "late_after": {"description": "A tick that is noticed this much later counts as missed; default 1m", "allOf": [{"$ref": "#/definitions/positive_duration"}]},
        "on_failure_pause_after": {"description": "After so many failed runs in a row the trigger is paused", "type": "integer", "minimum": 1, "maximum": 1000000}
      },
      "oneOf": [
        {"required": ["schedule"]}, {"required": ["watch"]}, {"required": ["webhook"]}, {"required": ["sensor"]},
        {"required": ["assets"]}, {"required": ["manual"]}, {"required": ["start"]}
      ]
    },
    "texts": {"type": "array", "items": {"type": "string", "minLength": 1}},
    "whole_seconds": {
      "description": "A duration of whole seconds: 10s, 5m, 1h, 1d",
      "type": "string",
      "pattern": "^([0-9]+(s|m|h|d)|0*[0-9]*000ms|0+ms)$"
    },
    "key_retention": {
      "description": "How long keys of events are remembered: a duration, or forever",
      "oneOf": [{"$ref": "#/definitions/positive_duration"}, {"type": "string", "enum": ["forever"]}]
    },
    "trigger_schedule": {
      "description": "Fires at times",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "cron": {
          "description": "One or more cron expressions: minute, hour, day of the month, month, day of the week",
          "oneOf": [
            {"type": "string"},
            {"type": "array", "minItems": 1, "maxItems": 100, "items": {"type": "string"}}
          ]
        },
        "every": {"description": "An interval of elapsed time, at least 1s", "allOf": [{"$ref": "#/definitions/whole_seconds"}, {"$ref": "#/definitions/positive_duration"}]},
        "offset": {"description": "With every: how long after the full interval", "allOf": [{"$ref": "#/definitions/whole_seconds"}]},
        "timezone": {"description": "A zone such as Europe/Berlin", "type": "string", "minLength": 1, "default": "UTC"},
        "not_on": {"description": "With cron: a file of dates, one a line, without ticks", "type": "string", "minLength": 1},
        "jitter": {"description": "Runs start up to this much later", "allOf": [{"$ref": "#/definitions/duration"}]}
      }
    },
    "trigger_watch": {
      "description": "Fires when files change",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "paths": {"description": "Paths and globs, relative to the pipeline's folder", "type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
        "settle": {"description": "A file counts once it has not changed for so long; 0s: at once; default 1s", "allOf": [{"$ref": "#/definitions/duration"}]},
        "max_settle": {"description": "A file that never settles counts after so long; default 10m", "allOf": [{"$ref": "#/definitions/positive_duration"}]},
        "existing": {"description": "Whether files that are there when the trigger is first seen fire", "type": "string", "enum": ["ignore", "fire"], "default": "ignore"},
        "poll": {"description": "How often to look where changes are not reported; default 10s", "allOf": [{"$ref": "#/definitions/positive_duration"}]},
        "ignore": {"description": "Patterns of file names that do not count; default: .*.swp, *~, .#*, *.part, *.tmp", "allOf": [{"$ref": "#/definitions/texts"}]}
      },
      "required": ["paths"]
    },
    "trigger_webhook": {
      "description": "Fires for requests to /hooks/PIPELINE/NAME",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "scheme": {"description": "How requests are signed", "type": "string", "enum": ["github", "standard", "gitlab", "generic", "unsigned"]},
        "secret": {
          "description": "Where the secret is; of a list each one counts",
          "oneOf": [
            {"$ref": "#/definitions/trigger_secret"},
            {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/trigger_secret"}}
          ]
        },
        "key": {"description": "What tells requests apart: header.NAME or body.PATH; default: the scheme's own", "type": "string", "minLength": 1},
        "keep_keys": {"$ref": "#/definitions/key_retention"},
        "header": {"description": "generic: the header that has the signature", "type": "string", "minLength": 1},
        "prefix": {"description": "generic: what stands before it", "type": "string", "default": ""},
        "encoding": {"description": "generic: how it is written", "type": "string", "enum": ["hex", "base64"], "default": "hex"},
        "signed": {"description": "generic: what is signed", "type": "string", "enum": ["body", "timestamp.body"], "default": "body"},
        "timestamp_header": {"description": "generic: the header that has the timestamp", "type": "string", "minLength": 1},
        "tolerance": {"description": "generic: how far the timestamp may be from now; default 5m", "allOf": [{"$ref": "#/definitions/positive_duration"}]}
      },
      "required": ["scheme"],
      "oneOf": [
        {
          "properties": {"scheme": {"enum": ["github", "standard", "gitlab"]}},
          "required": ["secret"],
          "not": {"anyOf": [
            {"required": ["header"]}, {"required": ["prefix"]}, {"required": ["encoding"]}, {"required": ["signed"]},
            {"required": ["timestamp_header"]}
          ]}
        },
        {
          "properties": {"scheme": {"enum": ["generic"]}, "signed": {"enum": ["timestamp.body"]}},
          "required": ["secret", "header", "signed", "timestamp_header"]
        },
        {
          "properties": {"scheme": {"enum": ["generic"]}, "signed": {"enum": ["body"]}},
          "required": ["secret", "header"],
          "not": {"required": ["timestamp_header"]}
        },
        {
          "properties": {"scheme": {"enum": ["unsigned"]}},
          "not": {"anyOf": [
            {"required": ["secret"]}, {"required": ["header"]}, {"required": ["prefix"]}, {"required": ["encoding"]}, {"required": ["signed"]},
            {"required": ["timestamp_header"]}
          ]}
        }
      ]
    },
    "trigger_secret": {
      "oneOf": [
        {"type": "object", "properties": {"from_file": {"type": "string", "minLength": 1}}, "required": ["from_file"], "additionalProperties": false},
        {"type": "object", "properties": {"from_env": {"$ref": "#/definitions/variable_name"}}, "required": ["from_env"], "additionalProperties": false},
        {"type": "object", "properties": {"from_credential": {"type": "string", "pattern": "^[^/]+$"}}, "required": ["from_credential"], "additionalProperties": false}
      ]
    },
    "trigger_sensor": {
      "description": "Fires for what a command reports",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "command": {
          "description": "A string for the shell, or a list that is executed directly; it prints JSON: cursor, runs, skip_reason, again",
          "oneOf": [
            {"type": "string", "pattern": "[^ \\t\\n]"},
            {"type": "array", "minItems": 1, "items": {"type": "string"}}
          ]
        },
        "every": {"description": "How often it is executed, at least 1s; default 30s", "allOf": [{"$ref": "#/definitions/positive_duration"}]},
        "timeout": {"description": "It is ended after so long; default 60s", "allOf": [{"$ref": "#/definitions/positive_duration"}]},
        "runs_per_call": {"description": "It may report so many runs at a time", "type": "integer", "minimum": 1, "maximum": 1000, "default": 1000},
        "keep_keys": {"$ref": "#/definitions/key_retention"}
      },
      "required": ["command"]
    },
    "trigger_assets": {
      "description": "Fires when assets change, of this pipeline or (PIPELINE/ASSET) of another one",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "any": {"description": "When one of them has changed", "type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
        "all": {"description": "When each of them has changed since the trigger fired last", "type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
        "within": {"description": "With all: older changes do not count", "allOf": [{"$ref": "#/definitions/positive_duration"}]},
        "self": {"description": "Whether changes by the trigger's own runs count", "type": "boolean", "default": false}
      },
      "oneOf": [{"required": ["any"], "not": {"required": ["within"]}}, {"required": ["all"], "not": {"required": ["any"]}}]
    },
)schema";
  // clang-format on
  return text;
}

} // namespace troupe_internal::config
