// The schema's text. Keys and limits repeat what the parser knows; the test of their agreement names what differs.
#include "config/schema.hpp"

#include <string>

namespace troupe_internal::config {

std::string_view pipeline_schema() {
  // clang-format off
  static constexpr std::string_view keys = R"schema({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "Troupe pipeline",
  "description": "A pipeline file of Troupe. // and /* */ comments and trailing commas are allowed in it.",
  "type": "object",
  "required": ["name", "assets"],
  "additionalProperties": false,
  "properties": {
    "$schema": {"description": "Where this schema is kept, for editors", "type": "string"},
    "name": {
      "description": "Tells pipelines in one state apart",
      "allOf": [{"$ref": "#/definitions/name"}]
    },
    "description": {"description": "What it is, for people", "type": "string"},
    "params": {
      "description": "Values for {{ params.x }}; --param x=value overrides",
      "type": "object",
      "propertyNames": {"$ref": "#/definitions/name"},
      "additionalProperties": {
        "oneOf": [
          {"$ref": "#/definitions/scalar"},
          {"$ref": "#/definitions/strings"},
          {
            "description": "Of a secret the name is recorded, the value never",
            "type": "object",
            "properties": {"default": {"oneOf": [{"$ref": "#/definitions/scalar"}, {"$ref": "#/definitions/strings"}]}, "secret": {"type": "boolean", "default": false}},
            "not": {"required": ["secret"], "properties": {"secret": {"enum": [true]}, "default": {"type": "array"}}},
            "required": ["default"],
            "additionalProperties": false
          }
        ]
      }
    },
    "engine": {
      "description": "How the pipeline is run",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "workers": {
          "description": "Attempts at a time; default: the CPUs this process may use, by its affinity mask and the CPU quotas of its control groups",
          "type": "integer",
          "minimum": 1,
          "maximum": 10000
        },
        "error_strategy": {
          "description": "After a failure",
          "type": "string",
          "enum": ["fail_fast", "continue", "abort"],
          "default": "fail_fast"
        },
        "state_dir": {
          "description": "Folder of the journal and the logs, relative to the file's folder",
          "type": "string",
          "minLength": 1,
          "default": ".troupe"
        },
        "durability": {
          "description": "How far the journal has to be on disk before work goes on",
          "allOf": [{"$ref": "#/definitions/durability"}],
          "default": "pipelined"
        },
        "pools": {
          "description": "Named limits that assets take slots of",
          "allOf": [{"$ref": "#/definitions/pools"}]
        },
        "grace_period": {
          "description": "Between SIGTERM and SIGKILL",
          "allOf": [{"$ref": "#/definitions/duration"}],
          "default": "10s"
        },
        "keep_runs": {
          "description": "Runs kept in the history",
          "type": "integer",
          "minimum": 1,
          "maximum": 100000000,
          "default": 1000
        },
        "keep_logs": {
          "description": "How long logs are kept",
          "allOf": [{"$ref": "#/definitions/duration"}],
          "default": "30d"
        },
        "orphans": {
          "description": "Files made by assets that no longer exist: refuse to read them, remove them, or warn",
          "type": "string",
          "enum": ["refuse", "remove", "warn"],
          "default": "refuse"
        }
      }
    },
    "defaults": {
      "description": "Settings of every asset that does not say otherwise",
      "type": "object",
      "properties": {
        "description": {
          "description": "What it is, for people",
          "type": "string"
        },
        "env": {"$ref": "#/definitions/setting_env"},
        "inherit_env": {"$ref": "#/definitions/setting_inherit_env"},
        "cwd": {"$ref": "#/definitions/setting_cwd"},
        "shell": {"$ref": "#/definitions/setting_shell"},
        "timeout": {"$ref": "#/definitions/setting_timeout"},
        "retry": {"$ref": "#/definitions/setting_retry"},
        "skip_exit_codes": {"$ref": "#/definitions/setting_skip_exit_codes"},
        "allow_failure": {"$ref": "#/definitions/setting_allow_failure"},
        "pools": {"$ref": "#/definitions/setting_pools"},
        "priority": {"$ref": "#/definitions/setting_priority"},
        "version": {"$ref": "#/definitions/setting_version"},
        "always": {"$ref": "#/definitions/setting_always"},
        "max_age": {"$ref": "#/definitions/setting_max_age"},
        "durability": {"$ref": "#/definitions/setting_durability"},
        "max_log": {"$ref": "#/definitions/setting_max_log"},
        "links": {"$ref": "#/definitions/setting_links"},
        "clear_outputs": {"$ref": "#/definitions/setting_clear_outputs"},
        "tags": {"$ref": "#/definitions/setting_tags"},
        "group": {"$ref": "#/definitions/setting_group"},
        "owners": {"$ref": "#/definitions/setting_owners"},
        "ignore_warnings": {"$ref": "#/definitions/setting_ignore_warnings"},
        "expect": {"$ref": "#/definitions/setting_expect"}
      },
      "additionalProperties": false
    },
    "triggers": {
      "description": "When it is to run by itself, under a supervisor: by name",
      "type": "object",
      "propertyNames": {"$ref": "#/definitions/name"},
      "additionalProperties": {"$ref": "#/definitions/trigger"}
    },
    "values": {
      "description": "Values for matrices, by name",
      "type": "object",
      "propertyNames": {"$ref": "#/definitions/plain_name"},
      "additionalProperties": {"$ref": "#/definitions/source"}
    },
    "assets": {
      "description": "What the pipeline makes, by name",
      "type": "object",
      "minProperties": 1,
      "propertyNames": {"$ref": "#/definitions/name"},
      "additionalProperties": {"$ref": "#/definitions/asset"}
    }
  },
  "definitions": {
)schema";
  static constexpr std::string_view definitions = R"schema(    "name": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_.-]*$", "maxLength": 200},
    "variable_name": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
    "own_variable_name": {
      "description": "Names that begin with TROUPE_ are set by Troupe itself",
      "type": "string",
      "pattern": "^(?!TROUPE_)[A-Za-z_][A-Za-z0-9_]*$"
    },
    "duration": {
      "description": "A whole number and a unit: 250ms, 10s, 5m, 1h, 1d",
      "type": "string",
      "pattern": "^[0-9]+(ms|s|m|h|d)$"
    },
    "positive_duration": {
      "description": "A whole number and a unit: 250ms, 10s, 5m, 1h, 1d",
      "type": "string",
      "pattern": "^0*[1-9][0-9]*(ms|s|m|h|d)$"
    },
    "size": {
      "description": "A whole number and a unit: 10KB, 100MB, 1GB, 1GiB",
      "type": "string",
      "pattern": "^[0-9]+(B|KB|MB|GB|TB|KiB|MiB|GiB)$"
    },
    "plain_name": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_-]*$", "maxLength": 200},
    "input": {
      "oneOf": [
        {"type": "string", "minLength": 1},
        {
          "description": "A path that may be absent",
          "type": "object",
          "properties": {"optional": {"type": "string", "minLength": 1}},
          "required": ["optional"],
          "additionalProperties": false
        },
        {
          "description": "The outputs of an asset, or of all combinations of one: exactly these",
          "type": "object",
          "properties": {
            "outputs_of": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            "named": {"description": "Only the output of that name", "type": "string"}
          },
          "required": ["outputs_of"],
          "additionalProperties": false
        }
      ]
    },
    "scalar": {"type": ["string", "number", "boolean"]},
    "source": {
      "description": "Where values come from: a list, or files that are read when the pipeline is loaded",
      "oneOf": [
        {
          "type": "array",
          "minItems": 1,
          "uniqueItems": true,
          "items": {
            "oneOf": [
              {"type": ["number", "boolean"]},
              {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\[\\],\\u0001-\\u001f\\u007f]+$"},
              {
                "description": "A row: \"id\" (or else \"name\") becomes part of the asset's name",
                "type": "object",
                "anyOf": [{"required": ["id"]}, {"required": ["name"]}],
                "propertyNames": {"minLength": 1},
                "additionalProperties": {
                  "oneOf": [{"$ref": "#/definitions/scalar"}, {"type": "array", "items": {"type": "string"}}]
                }
              }
            ]
          }
        },
        {
          "type": "object",
          "properties": {"values": {"description": "A list under the top level's \"values\"", "allOf": [{"$ref": "#/definitions/name"}]}},
          "required": ["values"],
          "additionalProperties": false
        },
        {
          "type": "object",
          "properties": {
            "glob": {
              "description": "A file each: a pattern, or a list of patterns and !PATTERNs",
              "oneOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}
              ]
            }
          },
          "required": ["glob"],
          "additionalProperties": false
        },
        {
          "type": "object",
          "properties": {"lines": {"description": "A text file with a value in each line", "type": "string", "minLength": 1}},
          "required": ["lines"],
          "additionalProperties": false
        },
        {
          "type": "object",
          "properties": {
            "csv": {"description": "A CSV file whose first line names the columns", "type": "string", "minLength": 1},
            "separator": {"type": "string", "pattern": "^[^\"\\r\\n]$", "default": ","},
            "key": {"description": "The column with the ids; the first, if none is named", "type": "string"}
          },
          "required": ["csv"],
          "additionalProperties": false
        },
        {
          "type": "object",
          "properties": {
            "json": {"description": "A JSON file with a list of values or of objects", "type": "string", "minLength": 1},
            "at": {"description": "JSON pointer to the list", "type": "string", "pattern": "^(/|$)", "default": ""},
            "key": {"description": "The column with the ids: else \"id\", or \"name\"", "type": "string"}
          },
          "required": ["json"],
          "additionalProperties": false
        }
      ]
    },
    "pools": {
      "type": "object",
      "propertyNames": {"$ref": "#/definitions/name"},
      "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 1000000}
    },
    "durability": {"type": "string", "enum": ["strict", "pipelined", "none"]},
    "asset": {
      "type": "object",
      "properties": {
        "command": {
          "description": "A string for the shell, or a list that is executed directly; without a command the asset is a source, made elsewhere and only observed",
          "oneOf": [
            {"type": "string", "pattern": "[^ \\t\\n]"},
            {"type": "array", "minItems": 1, "items": {"type": "string"}}
          ]
        },
        "script": {
          "description": "Lines for the shell, instead of a command: the shell ends at the first that fails",
          "type": "array",
          "minItems": 1,
          "items": {"type": "string"}
        },
        "depfile": {
          "description": "The file in which the command lists what it has read, as compilers do (gcc -MMD -MF FILE): these files are inputs from then on. Required after each success",
          "type": "string",
          "minLength": 1
        },
        "data_version": {
          "description": "What the command writes to its standard output is the data version",
          "type": "string",
          "enum": ["stdout"]
        },
        "inputs": {
          "description": "Files it is made from, in a list or by name; globs with ** are allowed, and !PATTERN takes out of globs and folders. An input that another asset makes is a dependency",
          "oneOf": [
            {"type": "array", "items": {"$ref": "#/definitions/input"}},
            {
              "type": "object",
              "propertyNames": {"$ref": "#/definitions/plain_name"},
              "additionalProperties": {
                "oneOf": [{"$ref": "#/definitions/input"}, {"type": "array", "items": {"$ref": "#/definitions/input"}}]
              }
            }
          ]
        },
        "outputs": {
          "description": "Files and folders it makes, in a list or by name",
          "oneOf": [
            {"type": "array", "items": {"type": "string", "minLength": 1}},
            {
              "type": "object",
              "propertyNames": {"$ref": "#/definitions/plain_name"},
              "additionalProperties": {"type": "string", "minLength": 1}
            }
          ]
        },
        "deps": {
          "description": "Assets it needs, by name; x means every combination of x, x[{{ matrix.v.id }}] one of them",
          "type": "array",
          "items": {"type": "string"}
        },
        "matrix": {
          "description": "Variables and their values: every combination is an asset of its own, x[a,b]; \"exclude\" leaves combinations out",
          "type": "object",
          "minProperties": 1,
          "properties": {
            "exclude": {
              "description": "Combinations that are left out: those that agree in all ids that one of these names",
              "type": "array",
              "items": {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#/definitions/scalar"}}
            }
          },
          "propertyNames": {"$ref": "#/definitions/name"},
          "additionalProperties": {"$ref": "#/definitions/source"}
        },
        "description": {
          "description": "What it is, for people",
          "type": "string"
        },
        "env": {"$ref": "#/definitions/setting_env"},
        "inherit_env": {"$ref": "#/definitions/setting_inherit_env"},
        "cwd": {"$ref": "#/definitions/setting_cwd"},
        "shell": {"$ref": "#/definitions/setting_shell"},
        "timeout": {"$ref": "#/definitions/setting_timeout"},
        "retry": {"$ref": "#/definitions/setting_retry"},
        "skip_exit_codes": {"$ref": "#/definitions/setting_skip_exit_codes"},
        "allow_failure": {"$ref": "#/definitions/setting_allow_failure"},
        "pools": {"$ref": "#/definitions/setting_pools"},
        "priority": {"$ref": "#/definitions/setting_priority"},
        "version": {"$ref": "#/definitions/setting_version"},
        "always": {"$ref": "#/definitions/setting_always"},
        "max_age": {"$ref": "#/definitions/setting_max_age"},
        "durability": {"$ref": "#/definitions/setting_durability"},
        "max_log": {"$ref": "#/definitions/setting_max_log"},
        "links": {"$ref": "#/definitions/setting_links"},
        "clear_outputs": {"$ref": "#/definitions/setting_clear_outputs"},
        "tags": {"$ref": "#/definitions/setting_tags"},
        "group": {"$ref": "#/definitions/setting_group"},
        "owners": {"$ref": "#/definitions/setting_owners"},
        "ignore_warnings": {"$ref": "#/definitions/setting_ignore_warnings"},
        "expect": {"$ref": "#/definitions/setting_expect"}
      },
      "additionalProperties": false,
      "anyOf": [
        {"required": ["command"], "not": {"required": ["script"]}},
        {"required": ["script"], "not": {"required": ["command"]}},
        {
          "required": ["outputs"],
          "properties": {
            "outputs": {"minItems": 1, "minProperties": 1},
            "inputs": {"maxItems": 0, "maxProperties": 0},
            "deps": {"maxItems": 0}
          }
        }
      ]
    },
    "setting_env": {
      "description": "Environment variables of the command. A value may hold templates; from_env and from_file make it a secret unless \"secret\" is false",
      "type": "object",
      "propertyNames": {"$ref": "#/definitions/own_variable_name"},
      "additionalProperties": {
        "oneOf": [
          {"type": "string"},
          {
            "type": "object",
            "properties": {"from_env": {"$ref": "#/definitions/variable_name"}, "secret": {"type": "boolean"}},
            "required": ["from_env"],
            "additionalProperties": false
          },
          {
            "type": "object",
            "properties": {"from_file": {"type": "string", "minLength": 1}, "secret": {"type": "boolean"}},
            "required": ["from_file"],
            "additionalProperties": false
          }
        ]
      }
    },
    "setting_inherit_env": {
      "description": "The environment of Troupe itself: all of it, nothing, or only the names listed",
      "oneOf": [
        {"type": "boolean"},
        {"type": "array", "items": {"$ref": "#/definitions/variable_name"}}
      ],
      "default": true
    },
    "setting_cwd": {
      "description": "Folder that the command runs in, relative to the file's folder",
      "type": "string",
      "minLength": 1,
      "default": "."
    },
    "setting_shell": {
      "description": "Shell for a command given as a string; as a list with its options, behind which the text is added",
      "oneOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "minItems": 2, "items": {"type": "string"}}
      ],
      "default": "/bin/sh"
    },
    "setting_timeout": {
      "description": "An attempt is ended after this long; null: never",
      "oneOf": [{"$ref": "#/definitions/positive_duration"}, {"type": "null"}],
      "default": null
    },
    "setting_retry": {
      "description": "When and how often a failed attempt is made again",
      "type": "object",
      "properties": {
        "attempts": {
          "description": "In all, the first included",
          "type": "integer",
          "minimum": 1,
          "maximum": 1000000,
          "default": 1
        },
        "delay": {
          "description": "Before the second attempt",
          "allOf": [{"$ref": "#/definitions/duration"}],
          "default": "1s"
        },
        "backoff": {
          "description": "How the delay grows",
          "type": "string",
          "enum": ["fixed", "linear", "exponential"],
          "default": "fixed"
        },
        "max_delay": {
          "description": "No wait is longer, except that the delay itself is never cut",
          "allOf": [{"$ref": "#/definitions/duration"}],
          "default": "10m"
        },
        "jitter": {
          "description": "How waits are spread at random",
          "type": "string",
          "enum": ["none", "full", "equal", "decorrelated"],
          "default": "none"
        },
        "on_exit_codes": {
          "description": "Only these exit statuses, and timeouts, are tried again; 128 + n stands for death by signal n; empty: every failure",
          "type": "array",
          "items": {
            "type": "integer",
            "minimum": 1,
            "maximum": 255
          },
          "default": []
        },
        "on_timeout": {
          "description": "Whether an attempt that took longer than timeout is tried again",
          "type": "boolean",
          "default": true
        }
      },
      "additionalProperties": false
    },
    "strings": {"description": "A list of strings", "type": "array", "items": {"type": "string"}},
    "setting_skip_exit_codes": {
      "description": "Exit statuses by which the command says that there is nothing to do: the asset is skipped, and what it made before counts",
      "type": "array",
      "items": {"type": "integer", "minimum": 1, "maximum": 255},
      "default": []
    },
    "setting_allow_failure": {
      "description": "A failure does not stop the run, and dependents run all the same",
      "type": "boolean",
      "default": false
    },
    "setting_clear_outputs": {
      "description": "Before each attempt, remove the outputs that earlier attempts of this asset made",
      "type": "boolean",
      "default": false
    },
    "setting_pools": {
      "description": "Slots taken of each pool while it runs",
      "allOf": [{"$ref": "#/definitions/pools"}]
    },
    "setting_priority": {
      "description": "Among assets that are ready, higher ones start first; an asset is as urgent as the most urgent one that needs it",
      "type": "integer",
      "minimum": -1000000,
      "maximum": 1000000,
      "default": 0
    },
    "setting_version": {
      "description": "Change it to force a new run when the code changed in a way no input shows",
      "type": "string",
      "default": ""
    },
    "setting_always": {"description": "Stale in every run", "type": "boolean", "default": false},
    "setting_max_age": {
      "description": "Stale once its last materialization is this old; null: never",
      "oneOf": [{"$ref": "#/definitions/positive_duration"}, {"type": "null"}],
      "default": null
    },
    "setting_durability": {
      "description": "strict: its start and end are on disk before anything follows from them",
      "allOf": [{"$ref": "#/definitions/durability"}],
      "default": "pipelined"
    },
    "setting_max_log": {
      "description": "Kept of one attempt's output; beyond it the middle is dropped",
      "allOf": [{"$ref": "#/definitions/size"}],
      "default": "100MB"
    },
    "setting_links": {
      "description": "How links in its input and output folders count: by what they lead to, or by their text",
      "enum": ["content", "text"],
      "default": "content"
    },
    "setting_tags": {
      "description": "For selections: tag:x",
      "type": "array",
      "items": {"$ref": "#/definitions/name"}
    },
    "setting_group": {
      "description": "For selections (group:x) and as a cluster in graphs",
      "allOf": [{"$ref": "#/definitions/name"}]
    },
    "setting_owners": {
      "description": "Who to ask",
      "type": "array",
      "items": {"type": "string", "minLength": 1}
    },
    "setting_expect": {
      "description": "When it is expected to be up to date; who is told otherwise is in supervisor.json (notify: overdue)",
      "type": "object",
      "minProperties": 1,
      "maxProperties": 1,
      "additionalProperties": false,
      "properties": {
        "within": {"$ref": "#/definitions/positive_duration"},
        "by": {
          "type": "object",
          "required": ["cron"],
          "additionalProperties": false,
          "properties": {"cron": {"type": "string", "minLength": 1}, "timezone": {"type": "string", "minLength": 1}}
        }
      }
    },
    "setting_ignore_warnings": {
      "description": "Codes of warnings that are not shown for the asset; each warning shows its code in brackets",
      "type": "array",
      "items": {
        "enum": [
          "background_processes", "blocked_outside", "catch_up_without_tick", "discovered_cycle", "dot_dot_after_link", "duplicate_input", "empty_glob", "empty_source",
          "folder_left_out", "folders_skipped", "input_changed_meanwhile", "interval_of_days", "link_cycle", "links_elsewhere", "log_incomplete",
          "missing_input", "orphan_input", "output_not_written", "process_not_ended", "shell_syntax", "stopped_command", "trigger_circle", "undeclared_file",
          "undeclared_input", "unexpected_folder", "useless_key"
        ]
      }
    }
  }
}
)schema";
  // clang-format on
  static const std::string text = std::string(keys).append(trigger_definitions()).append(definitions);
  return text;
}

} // namespace troupe_internal::config
