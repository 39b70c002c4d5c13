/* The C interface of libtroupe, on which the C++ classes are built. It knows pointers, numbers and texts with their
 * length, and nothing of C++. Symbols and structs are only added to: a struct begins with its size, so that a library
 * tells which members its caller knows.
 *
 * Rules. A text is UTF-8, is not ended by a NUL, and is good during the call unless it says otherwise. A function that
 * can fail returns an error, which the caller releases, or NULL. Handles are counted: what a call hands out is released
 * by the caller. NULL is allowed wherever a handle is released. Functions that a host hands over (`call`, `write`,
 * `read`) let no exception out but that of a thread that is being cancelled. */
#ifndef TROUPE_ABI_H
#define TROUPE_ABI_H

#include <stddef.h>
#include <stdint.h>

#define TROUPE_VERSION_MAJOR 0
#define TROUPE_VERSION_MINOR 1
#define TROUPE_VERSION_PATCH 0
#define TROUPE_HEADER_VERSION (TROUPE_VERSION_MAJOR * 1000000 + TROUPE_VERSION_MINOR * 1000 + TROUPE_VERSION_PATCH)

#if defined(__GNUC__)
#define TROUPE_EXPORT __attribute__((visibility("default")))
#else
#define TROUPE_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct troupe_text {
  const char* data;
  size_t size;
} troupe_text;

/* A line of the host's source, for messages. `file` is ended by a NUL, and good for ever. */
typedef struct troupe_place {
  const char* file;
  uint32_t line;
} troupe_place;

typedef struct troupe_error troupe_error;
typedef struct troupe_pipeline troupe_pipeline;
typedef struct troupe_engine troupe_engine;
typedef struct troupe_run troupe_run;
typedef struct troupe_call troupe_call;     /* one call of a function of the host */
typedef struct troupe_stop troupe_stop;     /* whether something is to stop */
typedef struct troupe_sink troupe_sink;     /* takes the bytes of a value */
typedef struct troupe_source troupe_source; /* gives them back */
typedef struct troupe_bytes troupe_bytes;   /* bytes that many share */

/* The version of the library that was loaded, as TROUPE_HEADER_VERSION has it. */
TROUPE_EXPORT uint32_t troupe_version(void);

/* ---- Errors ---- */

/* What a program may do something about. Numbers are never given a second meaning. */
enum {
  TROUPE_ERROR_INVALID_ARGUMENT = 1,
  TROUPE_ERROR_INVALID_PIPELINE = 2,
  TROUPE_ERROR_NOT_FOUND = 3,
  TROUPE_ERROR_STATE_LOCKED = 4,
  TROUPE_ERROR_STATE_UNUSABLE = 5,
  TROUPE_ERROR_NOT_MATERIALIZED = 6,
  TROUPE_ERROR_VALUE_UNREADABLE = 7,
  TROUPE_ERROR_RUN_FAILED = 8,
  TROUPE_ERROR_CANCELLED = 9,
  TROUPE_ERROR_TIMED_OUT = 10,
  TROUPE_ERROR_WOULD_DEADLOCK = 11,
  TROUPE_ERROR_WRONG_PROCESS = 12,
  TROUPE_ERROR_SHUTTING_DOWN = 13,
  TROUPE_ERROR_STILL_RUNNING = 14,
  TROUPE_ERROR_INTERNAL = 15,
  TROUPE_ERROR_PERMANENT = 16,
  TROUPE_ERROR_KEY_CONFLICT = 17,
  TROUPE_ERROR_NOT_RECOVERED = 18,
  TROUPE_ERROR_INCOMPATIBLE_LIBRARY = 19,
  TROUPE_ERROR_INCOMPATIBLE_HOST = 20,
  TROUPE_ERROR_INTERRUPTED = 21,
  TROUPE_ERROR_HISTORY_DROPPED = 22
};

typedef struct troupe_finding {
  uint32_t size;
  uint32_t line;
  uint32_t column;
  troupe_text file;
  troupe_text asset; /* empty: the pipeline as a whole */
  troupe_text code;  /* a stable short word */
  troupe_text message;
} troupe_finding;

TROUPE_EXPORT void troupe_error_release(troupe_error* error);
TROUPE_EXPORT int32_t troupe_error_code(const troupe_error* error);
/* Texts of an error are good until it is released. */
TROUPE_EXPORT troupe_text troupe_error_message(const troupe_error* error);
TROUPE_EXPORT size_t troupe_error_findings(const troupe_error* error);
/* 0 if there is no such finding. */
TROUPE_EXPORT int32_t troupe_error_finding(const troupe_error* error, size_t index, troupe_finding* into);

/* ---- Values ---- */

/* How values of one type are kept. The address of this struct tells types apart in a process: objects go from one asset
 * to another as they are only where both have the same address, else by their bytes. It lives for ever. */
typedef struct troupe_type {
  uint32_t size;
  uint32_t version;         /* of the layout */
  uint32_t oldest_readable; /* `read` takes these, too */
  troupe_text name;         /* stable: it is recorded beside each value */
  /* Equal values give equal bytes. 0, or not 0 after troupe_sink_fail(). */
  int32_t (*write)(const void* object, troupe_sink* to);
  /* A new object with one reference, or NULL after troupe_source_fail(). */
  const void* (*read)(troupe_source* from, uint32_t version);
  void (*retain)(const void* object);
  void (*release)(const void* object);
} troupe_type;

typedef struct troupe_value {
  const void* object; /* NULL: there is none */
  const troupe_type* type;
} troupe_value;

/* Where a value came from. */
typedef struct troupe_value_info {
  uint32_t size;
  uint32_t attempt;
  uint64_t run;     /* its number */
  int64_t made_at;  /* nanoseconds since 1970 */
  uint64_t bytes;   /* as kept */
  char version[33]; /* the data version, ended by a NUL */
} troupe_value_info;

/* 0, or not 0 where no more is taken; then the value is not kept. */
TROUPE_EXPORT int32_t troupe_sink_put(troupe_sink* sink, const void* bytes, size_t size);
TROUPE_EXPORT void troupe_sink_fail(troupe_sink* sink, troupe_text why);
/* The next bytes, good while the source is; NULL, and the source has failed, if there are fewer. */
TROUPE_EXPORT const void* troupe_source_take(troupe_source* source, size_t size);
TROUPE_EXPORT size_t troupe_source_left(const troupe_source* source);
TROUPE_EXPORT void troupe_source_fail(troupe_source* source, troupe_text why);
/* All that is left, without a copy. */
TROUPE_EXPORT troupe_bytes* troupe_source_rest(troupe_source* source);

/* Bytes of the host's, which `release` gives back with `state`. */
TROUPE_EXPORT troupe_bytes* troupe_bytes_of(const void* bytes, size_t size, void (*release)(void* state), void* state);
TROUPE_EXPORT void troupe_bytes_retain(troupe_bytes* bytes);
TROUPE_EXPORT void troupe_bytes_release(troupe_bytes* bytes);
TROUPE_EXPORT const void* troupe_bytes_data(const troupe_bytes* bytes);
TROUPE_EXPORT size_t troupe_bytes_size(const troupe_bytes* bytes);

/* ---- Functions of the host ---- */

typedef struct troupe_function {
  uint32_t size;
  /* Answers with troupe_call_return() or troupe_call_fail(), or with neither where it hands on no value. Called on a
   * thread of the engine; many threads at a time. */
  void (*call)(void* state, troupe_call* call);
  void* state;
  void (*release)(void* state); /* may be NULL */
} troupe_function;

enum {
  TROUPE_CALL_PIPELINE = 0,
  TROUPE_CALL_ASSET = 1,
  TROUPE_CALL_RUN = 2,
  TROUPE_CALL_KEY = 3,
  TROUPE_CALL_EVENTS = 4 /* the path of a JSON file with the events that the run is for; empty: it is for none */
};
/* Good during the call of the function, as all texts that a call hands out are. */
TROUPE_EXPORT troupe_text troupe_call_word(const troupe_call* call, int32_t which);
TROUPE_EXPORT uint64_t troupe_call_run_number(const troupe_call* call);
TROUPE_EXPORT uint32_t troupe_call_attempt(const troupe_call* call);
/* 0: there is none. Else nanoseconds of the monotonic clock. */
TROUPE_EXPORT int32_t troupe_call_deadline(const troupe_call* call, int64_t* at);
/* One more reference to it, for the caller to release. */
TROUPE_EXPORT troupe_stop* troupe_call_stop(const troupe_call* call);
/* 0: the function has not been declared to take a param of this name. */
TROUPE_EXPORT int32_t troupe_call_param(const troupe_call* call, troupe_text name, troupe_text* value);
/* The value of an argument, with a reference for the caller. Not 0: it cannot be had, and the attempt fails. */
TROUPE_EXPORT int32_t troupe_call_value(troupe_call* call, size_t argument, const troupe_type* as, troupe_value* value);
/* The files that an argument hands on: how many, and the absolute path of each. */
TROUPE_EXPORT size_t troupe_call_files(troupe_call* call, size_t argument);
TROUPE_EXPORT troupe_text troupe_call_file(troupe_call* call, size_t argument, size_t file);
/* A folder of the attempt's own, which is removed afterwards. Empty, and the attempt fails, if it cannot be made. */
TROUPE_EXPORT troupe_text troupe_call_scratch(troupe_call* call);
/* How far the function is, for troupe_engine_calls() and for events; `done` is a share of 1. Nothing of it is recorded. */
TROUPE_EXPORT void troupe_call_progress(troupe_call* call, double done, troupe_text words);
TROUPE_EXPORT void troupe_call_log(troupe_call* call, troupe_text line);
TROUPE_EXPORT void troupe_call_metadata(troupe_call* call, troupe_text key, troupe_text json);
TROUPE_EXPORT void troupe_call_also_read(troupe_call* call, troupe_text path);
/* What the function hands on; the call takes a reference of its own. `version`: the data version, empty: that of the
 * bytes. Not 0: it cannot be kept, and the attempt fails. */
TROUPE_EXPORT int32_t troupe_call_return(troupe_call* call, const troupe_value* value, troupe_text version);
/* `code`: TROUPE_ERROR_PERMANENT is not tried again. The first failure counts. */
TROUPE_EXPORT void troupe_call_fail(troupe_call* call, int32_t code, troupe_text why);

TROUPE_EXPORT void troupe_stop_retain(troupe_stop* stop);
TROUPE_EXPORT void troupe_stop_release(troupe_stop* stop);
TROUPE_EXPORT int32_t troupe_stop_requested(const troupe_stop* stop);
/* Calls `then` once, on the thread that asks for the stop, or now if it was asked for. 0: it was called now. Else a
 * number for troupe_stop_forget(), which waits for a call that is under way on another thread. */
TROUPE_EXPORT uint64_t troupe_stop_tell(troupe_stop* stop, void (*then)(void* state), void* state);
TROUPE_EXPORT void troupe_stop_forget(troupe_stop* stop, uint64_t number);

/* ---- Pipelines ---- */

typedef struct troupe_asset {
  uint32_t pipeline; /* troupe_pipeline_id(); 0: of none */
  uint32_t index;
} troupe_asset;

enum { TROUPE_BACKOFF_FIXED = 0, TROUPE_BACKOFF_LINEAR = 1, TROUPE_BACKOFF_EXPONENTIAL = 2 };
enum { TROUPE_JITTER_NONE = 0, TROUPE_JITTER_FULL = 1, TROUPE_JITTER_EQUAL = 2, TROUPE_JITTER_DECORRELATED = 3 };

typedef struct troupe_pair {
  troupe_text name;
  troupe_text value;
} troupe_pair;

typedef struct troupe_slots {
  troupe_text pool;
  uint32_t slots;
} troupe_slots;

/* An asset, without what it is made with. All pointers may be NULL where the count is 0. */
typedef struct troupe_asset_options {
  uint32_t size;
  int32_t priority;
  troupe_text version;
  troupe_text captures; /* of a function: what tells its captured values from others */
  troupe_text description;
  troupe_text group;
  int64_t timeout; /* nanoseconds; 0: none */
  int64_t max_age; /* nanoseconds; 0: none */
  int64_t retry_delay;
  int64_t retry_max_delay;
  uint32_t retry_attempts; /* in all; 0: one */
  uint8_t retry_backoff;
  uint8_t retry_jitter;
  uint8_t allow_failure;
  uint8_t always;
  const troupe_asset* after;
  size_t after_count;
  const troupe_text* inputs;
  size_t input_count;
  const troupe_text* outputs;
  size_t output_count;
  const troupe_text* tags;
  size_t tag_count;
  const troupe_slots* pools;
  size_t pool_count;
  const troupe_text* params; /* of a function: those that it may ask for, and that count */
  size_t param_count;
} troupe_asset_options;

typedef struct troupe_command {
  uint32_t size;
  const troupe_text* argv; /* or: */
  size_t argv_count;
  troupe_text shell;
  const troupe_pair* env;
  size_t env_count;
} troupe_command;

typedef struct troupe_made_by {
  uint32_t size;
  uint32_t captures;                        /* not 0: it holds captured values */
  troupe_function function;                 /* taken over, whatever comes of it */
  const troupe_type* type;                  /* NULL: it hands on no value */
  const troupe_asset* arguments;            /* in the function's order */
  const troupe_type* const* argument_types; /* parallel; NULL: files */
  size_t argument_count;
} troupe_made_by;

TROUPE_EXPORT troupe_pipeline* troupe_pipeline_new(troupe_text name, troupe_place where);
TROUPE_EXPORT troupe_pipeline* troupe_pipeline_clone(const troupe_pipeline* pipeline);
TROUPE_EXPORT void troupe_pipeline_release(troupe_pipeline* pipeline);
TROUPE_EXPORT uint32_t troupe_pipeline_id(const troupe_pipeline* pipeline);
/* Good as long as the pipeline. */
TROUPE_EXPORT troupe_text troupe_pipeline_name(const troupe_pipeline* pipeline);
/* Where its relative paths begin, and its commands run. Without a call: the working folder of when it was made. */
TROUPE_EXPORT void troupe_pipeline_folder(troupe_pipeline* pipeline, troupe_text folder, troupe_place where);
TROUPE_EXPORT void troupe_pipeline_param(troupe_pipeline* pipeline, troupe_text name, troupe_text value,
                                         troupe_place where);
TROUPE_EXPORT void troupe_pipeline_pool(troupe_pipeline* pipeline, troupe_text name, uint32_t slots,
                                        troupe_place where);
enum { TROUPE_FAIL_FAST = 0, TROUPE_CONTINUE = 1, TROUPE_ABORT = 2 };
TROUPE_EXPORT void troupe_pipeline_error_strategy(troupe_pipeline* pipeline, uint8_t strategy);
/* An event of this name, which troupe_engine_notify() takes in, starts a run of the selected assets; none: of all. */
TROUPE_EXPORT void troupe_pipeline_on(troupe_pipeline* pipeline, troupe_text name, const troupe_text* select,
                                      size_t select_count, troupe_place where);
/* Each adds an asset. What is wrong with it is told by troupe_pipeline_check(), all at once. */
TROUPE_EXPORT troupe_asset troupe_pipeline_add_files(troupe_pipeline* pipeline, troupe_text name,
                                                     const troupe_text* files, size_t count, troupe_place where);
TROUPE_EXPORT troupe_asset troupe_pipeline_add_command(troupe_pipeline* pipeline, troupe_text name,
                                                       const troupe_command* command,
                                                       const troupe_asset_options* options, troupe_place where);
TROUPE_EXPORT troupe_asset troupe_pipeline_add_function(troupe_pipeline* pipeline, troupe_text name,
                                                        const troupe_made_by* by, const troupe_asset_options* options,
                                                        troupe_place where);
/* A source: the value itself. The pipeline takes a reference of its own. */
TROUPE_EXPORT troupe_asset troupe_pipeline_add_value(troupe_pipeline* pipeline, troupe_text name,
                                                     const troupe_value* value, troupe_place where);
TROUPE_EXPORT troupe_error* troupe_pipeline_check(const troupe_pipeline* pipeline);

/* ---- The engine ---- */

enum { TROUPE_PIPELINED = 0, TROUPE_STRICT = 1, TROUPE_NOT_DURABLE = 2 };
enum { TROUPE_CHILDREN_NONE = 0, TROUPE_CHILDREN_KNOWN = 1 };

typedef struct troupe_engine_options {
  uint32_t size;
  uint32_t version;  /* TROUPE_HEADER_VERSION of the headers that the host was compiled with */
  troupe_text state; /* the folder; it is made if it is not there */
  uint32_t workers;  /* functions and commands at a time, over all runs; 0: the processors that may be used */
  uint8_t durability;
  uint8_t children;
  uint64_t memory_for_values; /* bytes; 0: 256 MiB */
  uint64_t value_limit;       /* bytes of one value; 0: 4 GiB */
  /* Called on any thread with a line for people; it may not call the engine. Level: 0 information, 1 warning. */
  void (*log)(void* state, int32_t level, troupe_text line);
  void* log_state;
  /* A run that was resumed so often after crashes, and in which nothing came to an end since, is given up; 0: 3. */
  uint32_t most_resumptions;
  uint32_t keep_runs; /* how many runs of a pipeline the history has; 0: 1,000 */
  int64_t warn_unstopped; /* nanoseconds after which a function that ignores its stop is logged; 0: 10 seconds */
  /* For tests: the process ends at once (_exit) with this status when so many transactions are on disk; 0: never. */
  int32_t test_exit_status;
  uint64_t test_exit_after;
  uint64_t test_exit_after_calls; /* likewise when so many functions have returned, before that is recorded */
} troupe_engine_options;

typedef struct troupe_run_options {
  uint32_t size;
  uint8_t only;
  uint8_t force;
  const troupe_text* select;
  size_t select_count;
  const troupe_text* exclude;
  size_t exclude_count;
  const troupe_pair* params;
  size_t param_count;
  troupe_text key; /* the same key: the same run; empty: none */
} troupe_run_options;

enum {
  TROUPE_RUN_QUEUED = 0,
  TROUPE_RUN_RUNNING = 1,
  TROUPE_RUN_SUCCEEDED = 2,
  TROUPE_RUN_FAILED = 3,
  TROUPE_RUN_CANCELLED = 4,
  TROUPE_RUN_INTERRUPTED = 5
};

typedef struct troupe_run_report {
  uint32_t size;
  uint32_t status;
  uint64_t number;
  int64_t took; /* nanoseconds */
  /* How many assets came to be … */
  uint32_t fresh;
  uint32_t succeeded;
  uint32_t failed;
  uint32_t blocked;
  uint32_t cancelled;
} troupe_run_report;

/* Texts are good during the call that hands it out. */
typedef struct troupe_asset_report {
  uint32_t size;
  uint32_t attempts;
  troupe_text name;
  troupe_text status;
  troupe_text error;          /* empty: none */
  troupe_text data_version;   /* empty: unknown */
  int64_t took;               /* nanoseconds */
  const troupe_text* reasons; /* why it ran, or would run */
  size_t reason_count;
} troupe_asset_report;
/* Not 0: enough. */
typedef int32_t (*troupe_each_asset)(void* state, const troupe_asset_report* report);

enum { TROUPE_RESUME = 0, TROUPE_RESUME_OR_RERUN = 1, TROUPE_ABANDON = 2 };
enum { TROUPE_RESUMED = 0, TROUPE_RERUN = 1, TROUPE_ABANDONED = 2, TROUPE_LEFT = 3 };

typedef struct troupe_recovered {
  uint32_t size;
  uint32_t what;
  uint64_t number;    /* of the run that was open */
  troupe_run* run;    /* what goes on, borrowed; NULL: nothing does */
  troupe_text reason; /* why it was not resumed; empty: it was */
} troupe_recovered;
typedef void (*troupe_each_recovered)(void* state, const troupe_recovered* one);

/* Why an asset is stale. `kind` is one of TROUPE_REASON_*; texts are empty where there is nothing to say. */
typedef struct troupe_reason {
  uint32_t size;
  uint32_t kind;
  troupe_text subject;  /* the file, asset, param or variable that it is about */
  troupe_text from;     /* what it was, where that is known */
  troupe_text to;       /* what it is now */
  troupe_text sentence; /* for people */
} troupe_reason;

enum {
  TROUPE_REASON_NEVER_MATERIALIZED = 0,
  TROUPE_REASON_COMMAND_CHANGED = 1,
  TROUPE_REASON_VERSION_CHANGED = 2,
  TROUPE_REASON_ENV_CHANGED = 3,
  TROUPE_REASON_PARAM_CHANGED = 4,
  TROUPE_REASON_INPUT_CHANGED = 5,
  TROUPE_REASON_INPUT_ADDED = 6,
  TROUPE_REASON_INPUT_REMOVED = 7,
  TROUPE_REASON_UPSTREAM_CHANGED = 8,
  TROUPE_REASON_OUTPUT_MISSING = 9,
  TROUPE_REASON_OUTPUT_MODIFIED = 10,
  TROUPE_REASON_LAST_ATTEMPT_FAILED = 11,
  TROUPE_REASON_EXPIRED = 12,
  TROUPE_REASON_ALWAYS = 13,
  TROUPE_REASON_FORCED = 14,
  TROUPE_REASON_CYCLE = 15,
  TROUPE_REASON_OUTPUT_TARGET_CHANGED = 16,
  TROUPE_REASON_OUTPUT_RENAMED = 17,
  TROUPE_REASON_OUTPUT_MADE_BY_OTHER = 18,
  TROUPE_REASON_EXECUTABLE_CHANGED = 19,
  TROUPE_REASON_VALUE_MISSING = 20,
  TROUPE_REASON_VALUE_UNREADABLE = 21
};

enum { TROUPE_ACTION_FRESH = 0, TROUPE_ACTION_RUN = 1, TROUPE_ACTION_MAYBE = 2 };
enum {
  TROUPE_ATTEMPT_NONE = 0,
  TROUPE_ATTEMPT_RUNNING = 1,
  TROUPE_ATTEMPT_SUCCEEDED = 2,
  TROUPE_ATTEMPT_FAILED = 3,
  TROUPE_ATTEMPT_CANCELLED = 4,
  TROUPE_ATTEMPT_INTERRUPTED = 5
};

/* What a run that starts now would do with one asset, and why; who made it last; its last attempt. Good during the
 * call that hands it out. Moments are nanoseconds since 1970, spans nanoseconds. */
typedef struct troupe_explanation {
  uint32_t size;
  uint32_t action;
  troupe_text standing; /* "fresh", "stale", "maybe", "running", "failed" */
  const troupe_reason* const* reasons;
  size_t reason_count;
  uint64_t made_in; /* the run that made it last; 0: it was never made, and the next four are empty */
  int64_t made_at;
  int64_t made_took;
  troupe_text data_version;
  troupe_text metadata; /* a JSON object, or empty */
  uint32_t last_attempt;
  uint32_t attempt;
  uint64_t attempt_in; /* the run of the last attempt */
  int64_t attempt_at;
  const troupe_reason* const* attempt_reasons;
  size_t attempt_reason_count;
  const troupe_text* needs;
  size_t need_count;
  const troupe_text* needed_by;
  size_t needed_by_count;
} troupe_explanation;
typedef void (*troupe_each_explanation)(void* state, const troupe_explanation* one);

/* What a run did with an asset. Good during the call that hands it out. */
typedef struct troupe_execution {
  uint32_t size;
  uint32_t attempts;
  uint64_t run;
  int64_t started_at; /* nanoseconds since 1970: the last attempt */
  int64_t took;       /* nanoseconds */
  troupe_text status;
  troupe_text error;
  troupe_text data_version;
  troupe_text metadata;
  const troupe_reason* const* reasons;
  size_t reason_count;
  uint8_t changed; /* it came to another data version than before */
} troupe_execution;
/* Not 0: enough. */
typedef int32_t (*troupe_each_execution)(void* state, const troupe_execution* one);

/* A function that is being called. Good during the call that hands it out. */
typedef struct troupe_call_report {
  uint32_t size;
  uint32_t attempt;
  uint64_t run;
  troupe_text asset; /* "PIPELINE/ASSET" */
  int64_t running;   /* nanoseconds, so far */
  double done;       /* a share of 1; below 0: it has not said yet */
  troupe_text words;
  uint8_t stopping; /* it was asked to stop, and has not returned */
} troupe_call_report;
typedef void (*troupe_each_call)(void* state, const troupe_call_report* one);

/* Events: all that is recorded, in order, and how far functions are. */
typedef struct troupe_events troupe_events;
#define TROUPE_EVENTS_NEW UINT64_MAX
typedef struct troupe_events_options {
  uint32_t size;
  uint8_t no_progress;
  uint64_t from; /* the number of the first event; TROUPE_EVENTS_NEW: those that are recorded from now on */
  uint64_t run;  /* 0: of all runs, and of none */
} troupe_events_options;
/* Good until the next call of troupe_events_next(). */
typedef struct troupe_event {
  uint32_t size;
  uint32_t reserved;
  uint64_t seq; /* 1, 2, 3 …; 0: it is not recorded (progress) */
  int64_t at;   /* nanoseconds since 1970; 0: it has no moment of its own */
  uint64_t run; /* 0: of none */
  troupe_text kind;
  troupe_text asset; /* "PIPELINE/ASSET"; empty: of none */
  troupe_text json;  /* all of it, as `troupe journal dump` prints it; empty for progress */
  double done;       /* of progress: a share of 1 */
  troupe_text words; /* likewise */
} troupe_event;

typedef struct troupe_notice {
  uint32_t size;
  uint32_t reserved;
  troupe_text name; /* EVENT, or PIPELINE/EVENT */
  troupe_text key;  /* the same key: the same event, for 90 days; empty: none */
  troupe_text json; /* what comes with it; empty: nothing */
  const troupe_pair* params;
  size_t param_count;
} troupe_notice;
typedef struct troupe_receipt {
  uint32_t size;
  uint32_t reserved;
  uint64_t event;        /* its number, which is another one than that of events of troupe_events */
  uint64_t duplicate_of; /* the event that had the key first; 0: none had */
  troupe_run* run;       /* for the caller to release; NULL: it is no longer in the history */
} troupe_receipt;

TROUPE_EXPORT troupe_error* troupe_engine_open(const troupe_engine_options* options, troupe_engine** engine);
/* Another handle of the same engine, for the caller to release. It does not keep the engine: when the handle that
 * opened it is released, calls with this one answer TROUPE_ERROR_SHUTTING_DOWN. NULL: no memory is left. */
TROUPE_EXPORT troupe_engine* troupe_engine_share(troupe_engine* engine);
/* Waits for functions that run; runs that are open stay so, for the next engine to recover. */
TROUPE_EXPORT void troupe_engine_release(troupe_engine* engine);
TROUPE_EXPORT troupe_error* troupe_engine_add(troupe_engine* engine, const troupe_pipeline* pipeline);
TROUPE_EXPORT troupe_error* troupe_engine_recover(troupe_engine* engine, uint32_t policy, troupe_each_recovered each,
                                                  void* state);
TROUPE_EXPORT troupe_error* troupe_engine_start(troupe_engine* engine, troupe_text pipeline,
                                                const troupe_run_options* options, troupe_run** run);
TROUPE_EXPORT troupe_error* troupe_engine_resume(troupe_engine* engine, uint64_t number, troupe_run** run);
TROUPE_EXPORT troupe_error* troupe_engine_find(troupe_engine* engine, uint64_t number, troupe_run** run);
TROUPE_EXPORT troupe_error* troupe_engine_plan(troupe_engine* engine, troupe_text pipeline,
                                               const troupe_run_options* options, troupe_each_asset each, void* state);
TROUPE_EXPORT troupe_error* troupe_engine_status(troupe_engine* engine, troupe_text pipeline, troupe_each_asset each,
                                                 void* state);
/* The value that an asset of this pipeline last handed on, with a reference for the caller. `info` may be NULL. */
TROUPE_EXPORT troupe_error* troupe_engine_latest(troupe_engine* engine, troupe_asset asset, const troupe_type* as,
                                                 troupe_value* value, troupe_value_info* info);
/* Calls `each` once. */
TROUPE_EXPORT troupe_error* troupe_engine_explain(troupe_engine* engine, troupe_text pipeline, troupe_text asset,
                                                  troupe_each_explanation each, void* state);
TROUPE_EXPORT troupe_error* troupe_engine_explain_asset(troupe_engine* engine, troupe_asset asset,
                                                        troupe_each_explanation each, void* state);
/* The runs that executed an asset, newest first, at most `limit` of them (0: 100). `before`: only runs with a lower
 * number; 0: all. */
TROUPE_EXPORT troupe_error* troupe_engine_history(troupe_engine* engine, troupe_text pipeline, troupe_text asset,
                                                  uint64_t before, uint32_t limit, troupe_each_execution each,
                                                  void* state);
TROUPE_EXPORT troupe_error* troupe_engine_history_asset(troupe_engine* engine, troupe_asset asset, uint64_t before,
                                                        uint32_t limit, troupe_each_execution each, void* state);
/* The functions that are being called now, the one that began first at the front. */
TROUPE_EXPORT troupe_error* troupe_engine_calls(troupe_engine* engine, troupe_each_call each, void* state);
/* Checks every record of the state, every projection against a replay, and every value in a file; slow for a large state.
 * `each` is called with a line for each problem; it may be NULL. */
typedef void (*troupe_each_line)(void* state, troupe_text line);
TROUPE_EXPORT troupe_error* troupe_engine_verify(troupe_engine* engine, troupe_each_line each, void* state);
/* The event and its run are on disk when this returns. `receipt` may be NULL. */
TROUPE_EXPORT troupe_error* troupe_engine_notify(troupe_engine* engine, const troupe_notice* notice,
                                                 troupe_receipt* receipt);

/* `options` may be NULL: new events, of all runs. The subscription may outlive the engine. */
TROUPE_EXPORT troupe_error* troupe_engine_events(troupe_engine* engine, const troupe_events_options* options,
                                                 troupe_events** events);
TROUPE_EXPORT void troupe_events_release(troupe_events* events);
/* The next event, of which the caller has set the size; at most so many nanoseconds are waited for it, -1: without
 * limit. `found`: 0 where the time is up. One thread at a time. TROUPE_ERROR_HISTORY_DROPPED: events were dropped from
 * the history before they were read here, and the next call goes on behind them. TROUPE_ERROR_SHUTTING_DOWN: the engine
 * has gone, and this comes after its last event. */
TROUPE_EXPORT troupe_error* troupe_events_next(troupe_events* events, int64_t at_most, troupe_event* event,
                                               int32_t* found);
/* Readable (poll, epoll) when troupe_events_next() has something to say, and now and then when it has not. The caller
 * neither reads nor closes it. */
TROUPE_EXPORT int32_t troupe_events_descriptor(const troupe_events* events);
/* The number of the first event that was not handed out yet: troupe_events_options::from of a later subscription. */
TROUPE_EXPORT uint64_t troupe_events_position(const troupe_events* events);
/* How many words about progress were dropped because nobody took them. */
TROUPE_EXPORT uint64_t troupe_events_lost(const troupe_events* events);
/* Asks functions to stop, and waits at most so many nanoseconds for them; -1: without limit. Runs stay open. */
TROUPE_EXPORT troupe_error* troupe_engine_shutdown(troupe_engine* engine, int64_t grace);

TROUPE_EXPORT void troupe_run_retain(troupe_run* run);
TROUPE_EXPORT void troupe_run_release(troupe_run* run);
TROUPE_EXPORT uint64_t troupe_run_number(const troupe_run* run);
/* Good until the run is released. */
TROUPE_EXPORT troupe_text troupe_run_id(const troupe_run* run);
TROUPE_EXPORT uint32_t troupe_run_status(const troupe_run* run);
/* At most so many nanoseconds; -1: without limit. TROUPE_ERROR_TIMED_OUT: it has not ended. `stop` may be NULL. */
TROUPE_EXPORT troupe_error* troupe_run_wait(troupe_run* run, int64_t at_most, troupe_run_report* report);
TROUPE_EXPORT troupe_error* troupe_run_cancel(troupe_run* run, int32_t at_once);
TROUPE_EXPORT troupe_error* troupe_run_assets(troupe_run* run, troupe_each_asset each, void* state);

/* ---- For tests of programs ---- */

/* The bytes of an object, as they would be kept. */
TROUPE_EXPORT troupe_error* troupe_value_write(const troupe_type* type, const void* object, troupe_bytes** bytes);
/* An object from bytes, with a reference for the caller. TROUPE_ERROR_VALUE_UNREADABLE, also where bytes are left. */
TROUPE_EXPORT troupe_error* troupe_value_read(const troupe_type* type, uint32_t version, const void* bytes, size_t size,
                                              const void** object);
/* The asset is made by this function instead of its command; it still hands on its outputs. not_found: it has no
 * command. The function is taken over, whatever comes of it. */
TROUPE_EXPORT troupe_error* troupe_pipeline_script(troupe_pipeline* pipeline, troupe_text asset,
                                                   const troupe_function* function);
/* The wall clock of all engines of this process goes ahead by so many nanoseconds. */
TROUPE_EXPORT void troupe_test_advance(int64_t by);

#ifdef __cplusplus
}
#endif

#endif
