#!/usr/bin/env python3
"""Secret params, variables and files: no value is in the state, in what is printed, or in any document, however a run ends.
usage: secrets_test.py TROUPE [NAME...]"""
import base64
import hashlib
import os
import resource
import signal
import sys

from harness import Skip, contains, equal, finish, main, statuses

TOKEN, PW, FILE, KEY = "s3cr3t-Zq9x", "env-pa55word", "f1le-secret", "line-one-of-a-key\nline-two-of-a-key"
VALUES = [TOKEN, PW, FILE, *KEY.split("\n")]
ENV = {"MY_PW": PW}
GIVEN = ("--param", f"token={TOKEN}")
PRINTS = 'echo "token {{ params.token }}"; echo "pw $PW" >&2; printf "%s" "file ${FILE%???}"; sleep 0.05; echo "${FILE#????????}"; cat key; echo "$KEY"'


def secretive(shop, assets, **more):
    """The pipeline, with all kinds of secrets for every asset."""
    shop.write("file", FILE + "\n")
    shop.write("key", KEY + "\n")
    shop.pipeline(assets, params={"token": {"default": "", "secret": True}, "top": 3},
                  defaults={"env": {"PW": {"from_env": "MY_PW"}, "FILE": {"from_file": "file"}, "KEY": {"from_file": "key"}}}, **more)


def wait_for_there(shop, name):
    shop.wait_for(lambda: shop.exists(name), f"{name} exists")


def troupe(shop, *arguments, status=0, token=False):
    """One command, in whose output no value is."""
    done = shop.troupe(*arguments, *(GIVEN if token else ()), env=ENV).must(status)
    keeps_secrets(done.text + done.errors, " ".join(arguments))
    return done


def keeps_secrets(text, where):
    for value in VALUES:
        assert value not in text, f"{value} is in {where}: {text[-2000:]}"


def files_in(top):
    """Regular files alone: a run's FIFO would be waited for."""
    return [path for folder, _, names in os.walk(top) for path in (os.path.join(folder, name) for name in names) if os.path.isfile(path)]


def state_keeps_secrets(shop, state=".troupe"):
    files = 0
    for path in files_in(shop.path(state)):
        with open(path, "rb") as file:
            keeps_secrets(file.read().decode(errors="replace"), path)
        files += 1
    assert files >= 3, "there is a state"


def every_verb_keeps_secrets(shop, assets, run="latest"):
    for arguments in (["runs"], ["show", run], ["status"], ["plan"], ["graph"], ["validate"], ["journal", "stats"], ["journal", "verify"], ["schema"],
                      ["graph", "--format", "dot"], ["graph", "--format", "mermaid"], ["graph", "--format", "svg"], *(["explain", a] for a in assets),
                      *(["explain", a, "--run", run] for a in assets)):
        for form in ([], ["--json"]):
            done = shop.troupe(*arguments, *form, env=ENV)
            keeps_secrets(done.text + done.errors, " ".join(arguments + form))
    for asset in assets:
        done = shop.troupe("logs", asset, env=ENV)
        keeps_secrets(done.text + done.errors, f"logs {asset}")
    for words in (["run", ""], ["run", "--param", ""], ["--param", ""], ["resume", ""], ["run", "--param", "token="]):
        done = shop.troupe("__complete", *words, env=ENV)
        keeps_secrets(done.text + done.errors, "completion")
    done = shop.troupe("journal", "dump", env=ENV)
    keeps_secrets(done.text + done.errors, "journal dump")
    state_keeps_secrets(shop)


ENDS = {
    "succeeds": {"command": PRINTS + """; printf '{"metadata": {"t": "%s", "at %s": 1}, "data_version": "v %s"}' "$PW" "$FILE" {{ params.token }} > $TROUPE_RESULT"""},
    "fails": {"command": PRINTS + "; exit 3"},
    "retried": {"command": PRINTS + "; exit $((TROUPE_ATTEMPT < 2))", "retry": {"attempts": 2, "delay": "0s"}},
    "timed_out": {"command": PRINTS + "; sleep 60", "timeout": "500ms"},
    "dies": {"command": PRINTS + "; kill -SEGV $$"},
    "not_started": {"command": ["{{ params.token }}", "x"]},
    "no_folder": {"command": ["/nowhere/{{ params.token }}"]},
    "bad_result": {"command": """printf '{"%s": 1}' "$PW" > $TROUPE_RESULT"""},
    "bad_input": {"command": """printf '{"inputs": ["%s"]}' "$FILE" > $TROUPE_RESULT; : > "$FILE" """},
    "leaves": {"command": """cp /bin/sleep ./{{ params.token }}; ./{{ params.token }} 60 & echo done"""},
    "by_number": {"command": PRINTS + " > log.txt; tail -c 3 log.txt", "outputs": ["log.txt"]},
}


def no_value_is_anywhere_however_commands_end(shop):
    secretive(shop, ENDS, engine={"grace_period": "1s"})
    done = troupe(shop, "run", "--error-strategy", "continue", "--json", token=True, status=1)
    equal(statuses(done.json()), {name: "succeeded" if name in ("succeeds", "retried", "leaves", "by_number") else "failed" for name in ENDS})
    every_verb_keeps_secrets(shop, ENDS)
    equal(shop.troupe("logs", "fails").must(0).text, "token ***\npw ***\nfile ***\n***\n***\n")
    made = done.json()["assets"]["succeeds"]
    equal((made["reported_version"] if "reported_version" in made else made["data_version"]), "v ***")
    contains(shop.troupe("journal", "dump").must(0).text, '\\"at ***\\":1')
    contains(shop.troupe("show", "latest").must(0).text, "--param token=***")
    contains(done.text, '"bad_input"', "whose path holds a secret value")
    troupe(shop, "run", "--error-strategy", "continue", token=True, status=1)
    every_verb_keeps_secrets(shop, ENDS)
    troupe(shop, "run", token=True, status=1)
    troupe(shop, "resume", "--json", token=True, status=1)
    every_verb_keeps_secrets(shop, ENDS)
    troupe(shop, "journal", "compact")
    state_keeps_secrets(shop)


def a_cancelled_run_and_one_whose_supervisor_is_killed(shop):
    waits = {"a": {"command": PRINTS + "; : > begun; sleep 60"}}
    secretive(shop, waits, engine={"grace_period": "1s"})
    run = shop.start("run", *GIVEN, env={**os.environ, **ENV})
    wait_for_there(shop, "begun")
    with open(shop.path(".troupe/lock"), encoding="utf-8") as file:
        words = file.read()
    contains(words, f"pid {run.pid}\n", "command troupe run\n")
    keeps_secrets(words, "the lock while the run goes on")
    refused = shop.troupe("run", *GIVEN, env=ENV).must(3)
    contains(refused.errors, f"process {run.pid} (troupe run)")
    keeps_secrets(refused.errors, "the refusal")
    troupe(shop, "cancel")
    done = finish(run).must(1)
    keeps_secrets(done.text + done.errors, "the cancelled run")
    every_verb_keeps_secrets(shop, waits)
    equal(shop.read(".troupe/lock"), "")

    os.remove(shop.path("begun"))
    run = shop.start("run", *GIVEN, env={**os.environ, **ENV})
    wait_for_there(shop, "begun")
    run.send_signal(signal.SIGKILL)
    finish(run)
    every_verb_keeps_secrets(shop, waits)
    contains(shop.read(".troupe/lock"), f"pid {run.pid}\n")     # what tells of a dead holder stays
    refused = troupe(shop, "resume", status=2)
    contains(refused.errors, "started with the secret param token, whose value is recorded nowhere", "troupe resume 2 --param token=VALUE")
    secretive(shop, {"a": {"command": PRINTS + "; : > begun; sleep 60"}})
    os.remove(shop.path("begun"))
    run = shop.start("resume", *GIVEN, env={**os.environ, **ENV})
    wait_for_there(shop, "begun")
    contains(shop.read(".troupe/lock"), "command troupe resume\n")
    run.send_signal(signal.SIGINT)
    finish(run).must(130)
    every_verb_keeps_secrets(shop, waits)


def what_a_dead_run_has_reported_is_removed(shop):
    """TROUPE_RESULT is masked when it is read. What nobody comes to read must not stay."""
    reports = "printf '{\"metadata\": {\"k\": \"%s\"}}' \"$TOKEN\" > $TROUPE_RESULT; : > begun; while [ ! -e go ]; do sleep 0.01; done"
    secretive(shop, {"a": {"command": "TOKEN={{ params.token }}; " + reports}})
    run = shop.start("run", *GIVEN, env={**os.environ, **ENV})
    wait_for_there(shop, "begun")
    shop.write(".troupe/results/notes.1.1", "somebody's")
    equal(len(os.listdir(shop.path(".troupe/results"))), 3)
    run.send_signal(signal.SIGKILL)
    finish(run)
    shop.write("go", "")
    troupe(shop, "run", token=True)
    equal(sorted(os.listdir(shop.path(".troupe/results"))), [".troupe-mark", "notes.1.1"])
    state_keeps_secrets(shop)


def resume_takes_secrets_from_the_command_line_again(shop):
    shop.pipeline({"a": {"command": 'echo "{{ params.token }} {{ params.other }} {{ params.top }}" >> got; test -e fixed'}},
                  params={"token": {"default": "", "secret": True}, "other": {"default": "o", "secret": True}, "top": 1})
    shop.troupe("run", "--param", "top=2", *GIVEN).must(1)
    for arguments, part in ((["resume"], "the secret param token,"), (["resume", "--json"], "--param token=VALUE"), (["resume", "1", "--param", "other=x"], "the secret param token,"),
                            (["resume", "--param", "top=2", *GIVEN], "top is not secret"), (["resume", "--param", "no=2", *GIVEN], "no param \"no\""),
                            (["resume", "--param", "token=***"], "give the value itself")):
        done = troupe(shop, *arguments, status=2)
        contains(done.text + done.errors, part)
    equal(shop.lines("got"), [f"{TOKEN} o 2"])
    shop.write("fixed", "")
    equal(statuses(shop.troupe("resume", "--json", *GIVEN).must(0).json()), {"a": "succeeded"})
    equal(shop.lines("got"), [f"{TOKEN} o 2"] * 2)
    # Given twice, the last counts; the declared default needs no repeating.
    os.remove(shop.path("fixed"))
    shop.troupe("run", "--force", "--param", "token=first-secret", *GIVEN, "--param", "other=an-other-secret").must(1)
    contains(shop.troupe("resume").must(2).errors, "the secret params token and other, whose values are", "--param token=VALUE --param other=VALUE")
    os.remove(shop.path("got"))
    shop.troupe("resume", *GIVEN, "--param", "other=changed-secret").must(1)    # another value is no other definition
    equal(shop.lines("got"), [f"{TOKEN} changed-secret 1"])
    # A param that has the mark for a value and is no secret.
    shop.pipeline({"a": {"command": "echo {{ params.stars }} >> got; test -e fixed"}}, params={"stars": ""})
    os.remove(shop.path("got"))
    shop.troupe("run", "--param", "stars=***").must(1)
    shop.troupe("resume").must(1)
    equal(shop.lines("got"), ["***", "***"])


def a_changed_secret_makes_nothing_stale(shop):
    secretive(shop, {"a": {"command": ["sh", "-c", "echo $1 >> a.txt", "sh", "{{ params.token }}"], "outputs": ["a.txt"]},
                     "b": {"command": "cat a.txt {{ params.token }}x > b.txt 2>/dev/null; echo $X > b.txt", "inputs": ["a.txt"], "outputs": ["b.txt"], "env": {"X": "a {{ params.token }}"}}})
    equal(statuses(shop.run(*GIVEN, env=ENV)), {"a": "succeeded", "b": "succeeded"})
    shop.write("file", "another-file-secret")
    for arguments in (GIVEN, ("--param", "token=another-token"), ()):
        for more in (ENV, {"MY_PW": "another-password"}):
            equal(statuses(shop.run(*arguments, env=more)), {"a": "fresh", "b": "fresh"})
            equal(shop.reasons("a", *arguments, env=more), ("fresh", []))
    # That it is declared a secret, or no more, is a change of the definition.
    shop.pipeline({"a": {"command": "echo {{ params.p }} > c.txt", "outputs": ["c.txt"]}}, params={"p": "plain-value"}, name="other")
    shop.run()
    shop.pipeline({"a": {"command": "echo {{ params.p }} > c.txt", "outputs": ["c.txt"]}}, params={"p": {"default": "plain-value"}}, name="other")
    equal(shop.reasons("a"), ("fresh", []))
    shop.pipeline({"a": {"command": "echo {{ params.p }} > c.txt", "outputs": ["c.txt"]}}, params={"p": {"default": "plain-value", "secret": True}}, name="other")
    equal(shop.reasons("a"), ("run", [("param_changed", "p")]))
    shop.run()
    equal(shop.reasons("a", "--param", "p=other-value"), ("fresh", []))


def a_command_line_leaves_nothing_in_the_lock(shop):
    shop.pipeline({"a": {"command": "true"}}, params={"plain": "x"})
    for arguments in (["--param", "plain=hidden-value", "run"], ["run", "--param", "plain=hidden-value"], ["run", "--force", "--param=plain=hidden-value"]):
        shop.troupe(*arguments).must(0)
        equal(shop.read(".troupe/lock"), "")
    shop.pipeline({"a": {"command": "cat .troupe/lock; exit 1"}}, params={"plain": "x"})
    shop.troupe("run", "--param", "plain=hidden-value").must(1)
    log = shop.troupe("logs", "a").must(0).text
    contains(log, "command troupe run\n")
    assert "hidden" not in log and "--param" not in log, log
    equal(shop.read(".troupe/lock"), "")
    for arguments in (["resume"], ["adopt", "--yes"], ["journal", "compact"], ["clean", "--orphans", "--yes"]):
        shop.troupe(*arguments)
        equal(shop.read(".troupe/lock"), "")


def no_core_is_left_while_secrets_are_held(shop):
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard == 0:
        raise Skip("this machine permits no core dumps")
    want = 4096 if hard == resource.RLIM_INFINITY or hard >= 4096 else hard
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":disable_coredump=0"   # else a sanitizer takes the limit away

    def limits(pid):
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
            return next(line for line in file if line.startswith("Max core file size")).split()[4]

    kinds = {"param": {"params": {"p": {"default": "x", "secret": True}}}, "env": {"defaults": {"env": {"X": {"from_env": "HOME"}}}},
             "file": {"defaults": {"env": {"X": {"from_file": "f"}}}}, "none": {"params": {"p": "x"}, "defaults": {"env": {"X": {"from_env": "HOME", "secret": False}}}}}
    shop.write("f", "x")
    for kind, more in kinds.items():
        shop.pipeline({"a": {"command": "grep 'Max core' /proc/self/limits > limit; : > begun; while [ ! -e go ]; do sleep 0.01; done"}}, name=kind, **more)
        run = shop.start("run", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (want, hard)))
        wait_for_there(shop, "begun")
        equal((kind, limits(run.pid)), (kind, str(want) if kind == "none" else "0"))
        equal((kind, shop.read("limit").split()[4]), (kind, str(want)))
        shop.write("go", "")
        finish(run).must(0)
        for name in ("begun", "go"):
            os.remove(shop.path(name))
    equal(resource.getrlimit(resource.RLIMIT_CORE), (soft, hard))


def truncated_digest(content):
    return hashlib.sha256(content).digest()[:16]


def the_digest_of_a_secret_file_says_nothing_without_the_key(shop):
    shop.write("in/pin", "4711")
    shop.write("in/open", "4712")
    os.symlink("in/pin", shop.path("link"))
    shop.pipeline({"a": {"command": "cat in/pin link > /dev/null; echo made > a.txt", "inputs": ["in/pin", "link", "in/open"], "outputs": ["a.txt"], "env": {"PIN": {"from_file": "in/pin"}}},
                   "b": {"command": "ls in > b.txt", "inputs": ["in"], "outputs": ["b.txt"]}, "c": {"command": "cat in/* > /dev/null", "inputs": ["in/*"]}})
    shop.run()
    equal(statuses(shop.run()), {"a": "fresh", "b": "fresh", "c": "fresh"})
    equal(shop.reasons("a"), ("fresh", []))
    digests = lambda: (truncated_digest(b"4711"), truncated_digest(b"4712"))

    def holds(digest, state=".troupe"):
        text = shop.troupe("journal", "dump", "--state", state).must(0).text
        found = digest.hex() in text or base64.b64encode(digest).decode() in text
        for path in files_in(shop.path(state)):
            with open(path, "rb") as file:
                found = found or digest in file.read()
        return found

    secret, public = digests()
    assert holds(public), "the digest of a file that is no secret is recorded as it is"
    assert not holds(secret), "the digest of the secret file is in the state"
    with open(shop.path(".troupe/secret.key"), "rb") as file:
        key = file.read()
    equal((len(key), os.stat(shop.path(".troupe/secret.key")).st_mode & 0o777), (32, 0o600))
    assert holds(hashlib.sha256(key + secret).digest()[:16]), "it counts by its key"
    assert key.hex() not in shop.troupe("journal", "dump").must(0).text
    shop.run("--state", "other")
    with open(shop.path("other/secret.key"), "rb") as file:
        assert file.read() != key, "another state has another key"
    shop.write("in/pin", "4713")
    action, reasons = shop.reasons("a")
    equal((action, sorted(reasons)), ("run", [("input_changed", "in/pin"), ("input_changed", "link")]))
    contains(str(shop.reasons("b")), "in/pin")
    shop.run()
    assert not holds(truncated_digest(b"4713"))


def wrong_declarations_show_no_value(shop):
    def shown(text, *arguments, status=2):
        shop.write("troupe.json", text)
        for form in ([], ["--json"]):
            done = shop.troupe("validate", *form, *arguments)
            equal(done.status, status)
            assert TOKEN not in done.text + done.errors, done.text + done.errors
            run = shop.troupe("run", *form, *arguments)
            assert TOKEN not in run.text + run.errors, run.text + run.errors

    head = '{ "name": "p", "params": { "token": {"default": "%s", "secret": true}, "n": {"default": 1, "secret": true} }' % TOKEN
    assets = ', "assets": { "a": { "command": "true {{ params.token }}" } } }'
    shown(head + ', "assets": { "a": { "command": "x", "outputs": ["o/{{ params.token }}"] } } }')
    shown(head + ', "assets": { "a": { "command": "x", "inputs": ["{{ params.token }}"] } } }')
    shown(head + ', "assets": { "a": { "command": "cat <<E\\n{{ params.token }}\\nE" } } }')
    shown(head + assets, "--param", f"n={TOKEN}")
    shown(head + assets, "--param", f"tokn={TOKEN}")
    shown(head + assets + " x")
    shown('{ "name": "p", "params": { "token": {"default": "%s", "secret": yes} }' % TOKEN + assets)
    shown('{ "name": "p", "params": { "token": {"secret": "%s", "default": ""} }' % TOKEN + assets)
    shown('{ "name": "p", "params": {\n "token": {\n"value": "%s",\n"secret": true } }' % TOKEN + assets)
    shown('{ "name": "p", "params": {\n "token": {\n"secret": true,\n"default": ["%s"]\n} }' % TOKEN + assets)
    shown(head + assets, status=0)
    done = shop.troupe("run", f"--parm=token={TOKEN}").must(2)
    assert TOKEN not in done.errors, done.errors
    # A line without a secret is shown as ever.
    shop.write("troupe.json", '{ "name": "p", "params": {\n"token": {"default": "x", "secret": true} },\n"assets": { "a": { "comand": "x" } } }')
    contains(shop.troupe("validate").must(2).errors + shop.troupe("validate").text, '"comand"')


def a_secret_variable_is_for_those_who_declare_it(shop):
    show = "env | grep -c -e '^PW=' -e '^FILE='; true"
    shop.write("file", FILE)
    shop.pipeline({"with": {"command": show + " > with.txt", "outputs": ["with.txt"], "env": {"PW": {"from_env": "MY_PW"}, "FILE": {"from_file": "file"}}},
                   "without": {"command": show + "; echo $MY_PW"}, "neither": {"command": "env", "inherit_env": ["PATH"]}})
    shop.run(env=ENV)
    equal(shop.troupe("logs", "without").must(0).text, "0\n***\n")     # inherited; masked, since it is known
    assert "MY_PW" not in shop.troupe("logs", "neither").must(0).text


def a_secret_file_that_an_asset_makes_is_masked_from_then_on(shop):
    shop.pipeline({"login": {"command": f"echo {FILE} > session", "outputs": ["session"]},
                   "uses": {"command": "echo $S; cat session", "inputs": ["session"], "env": {"S": {"from_file": "session"}}}})
    shop.run()
    equal(shop.troupe("logs", "uses").must(0).text, "***\n***\n")


TESTS = [no_value_is_anywhere_however_commands_end, a_cancelled_run_and_one_whose_supervisor_is_killed, what_a_dead_run_has_reported_is_removed, resume_takes_secrets_from_the_command_line_again,
         a_changed_secret_makes_nothing_stale, a_command_line_leaves_nothing_in_the_lock, no_core_is_left_while_secrets_are_held,
         the_digest_of_a_secret_file_says_nothing_without_the_key, wrong_declarations_show_no_value, a_secret_variable_is_for_those_who_declare_it,
         a_secret_file_that_an_asset_makes_is_masked_from_then_on]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
