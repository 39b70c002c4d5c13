// The schema of supervisor.json. As in schema.cpp, keys and limits repeat what the parser knows.
#include "config/schema.hpp"

namespace troupe_internal::config {

std::string_view supervisor_schema() {
  // clang-format off
  static constexpr std::string_view text = R"schema({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "Troupe supervisor",
  "description": "What troupe serve serves, and how. // and /* */ comments and trailing commas are allowed in it.",
  "type": "object",
  "required": ["pipelines"],
  "additionalProperties": false,
  "properties": {
    "$schema": {"description": "Where this schema is kept, for editors", "type": "string"},
    "pipelines": {"description": "Pipeline files, relative to this file; globs are allowed", "type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
    "state_dir": {"description": "Folder of the one journal of all pipelines, relative to this file", "type": "string", "minLength": 1, "default": ".troupe"},
    "listen": {"description": "Addresses HOST:PORT for the API, hooks and the page; the Unix socket in the state is always there", "type": "array", "items": {"type": "string", "minLength": 1}},
    "workers": {"description": "Attempts at a time, of all runs; default: the CPUs this process may use", "type": "integer", "minimum": 1, "maximum": 10000},
    "max_runs": {"description": "Runs at a time that no person started", "type": "integer", "minimum": 1, "maximum": 10000, "default": 16},
    "pools": {
      "description": "Sizes of pools that all pipelines which declare a pool of that name share",
      "type": "object",
      "propertyNames": {"$ref": "#/definitions/name"},
      "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 1000000}
    },
    "weights": {
      "description": "Shares of the workers, by what started a run",
      "type": "object",
      "properties": {
        "user": {"$ref": "#/definitions/weight"}, "program": {"$ref": "#/definitions/weight"},
        "trigger": {"$ref": "#/definitions/weight"}, "backfill": {"$ref": "#/definitions/weight"}
      },
      "additionalProperties": false
    },
    "durability": {"description": "How far the journal has to be on disk before work goes on", "type": "string", "enum": ["strict", "pipelined"], "default": "pipelined"},
    "history": {
      "description": "How much of finished runs is kept; default: 30d and 2GiB",
      "type": "object",
      "properties": {"max_age": {"$ref": "#/definitions/positive_duration"}, "max_bytes": {"$ref": "#/definitions/size"}},
      "additionalProperties": false
    },
    "keep_events": {"description": "How long events are kept; default 90d", "allOf": [{"$ref": "#/definitions/positive_duration"}]},
    "on_restart": {"description": "What becomes of runs that the last supervisor left open", "type": "string", "enum": ["resume_or_rerun", "resume", "abandon"], "default": "resume_or_rerun"},
    "auto_reload": {"description": "Whether changed files are loaded by themselves", "type": "boolean", "default": true},
    "grace_period": {"description": "Between SIGTERM and SIGKILL when the supervisor stops; default 10s", "allOf": [{"$ref": "#/definitions/duration"}]},
    "auth": {
      "type": "object",
      "properties": {"hosts": {"description": "Names accepted in the header Host, besides those of loopback", "type": "array", "items": {"type": "string", "pattern": "^[^/ \\t]+$"}}},
      "additionalProperties": false
    },
    "hooks": {
      "type": "object",
      "properties": {"max_body": {"description": "The largest body of a webhook's request; default 1MiB", "allOf": [{"$ref": "#/definitions/size"}]}},
      "additionalProperties": false
    },
    "log": {
      "type": "object",
      "properties": {
        "format": {"type": "string", "enum": ["text", "json"], "default": "text"},
        "level": {"type": "string", "enum": ["trace", "debug", "info", "warn", "error", "off"], "default": "info"}
      },
      "additionalProperties": false
    },
    "notify": {
      "description": "Who is notified of what, by name",
      "type": "object",
      "propertyNames": {"$ref": "#/definitions/name"},
      "additionalProperties": {
        "type": "object",
        "properties": {
          "on": {"type": "array", "minItems": 1, "items": {"type": "string", "enum": ["failed", "recovered", "paused", "overdue", "rejected"]}},
          "pipelines": {"description": "Names; default: all", "type": "array", "items": {"$ref": "#/definitions/name"}},
          "command": {
            "oneOf": [
              {"type": "string", "pattern": "[^ \\t\\n]"},
              {"type": "array", "minItems": 1, "items": {"type": "string"}}
            ]
          },
          "url": {"type": "string", "pattern": "^https?://"},
          "secret": {
            "oneOf": [
              {"type": "object", "properties": {"from_file": {"type": "string", "minLength": 1}}, "required": ["from_file"], "additionalProperties": false},
              {"type": "object", "properties": {"from_env": {"type": "string", "minLength": 1}}, "required": ["from_env"], "additionalProperties": false},
              {"type": "object", "properties": {"from_credential": {"type": "string", "minLength": 1}}, "required": ["from_credential"], "additionalProperties": false}
            ]
          }
        },
        "required": ["on"],
        "oneOf": [{"required": ["command"], "not": {"required": ["secret"]}}, {"required": ["url"]}],
        "additionalProperties": false
      }
    }
  },
  "definitions": {
    "name": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_.-]*$", "maxLength": 200},
    "weight": {"type": "integer", "minimum": 1, "maximum": 1000},
    "duration": {"description": "A whole number and a unit: 250ms, 10s, 5m, 1h, 1d", "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"},
    "positive_duration": {"description": "A whole number and a unit: 250ms, 10s, 5m, 1h, 1d", "type": "string", "pattern": "^0*[1-9][0-9]*(ms|s|m|h|d)$"},
    "size": {"description": "A whole number and a unit: 10KB, 100MB, 1GB, 1GiB", "type": "string", "pattern": "^[0-9]+(B|KB|MB|GB|TB|KiB|MiB|GiB)$"}
  }
}
)schema";
  // clang-format on
  return text;
}

} // namespace troupe_internal::config
