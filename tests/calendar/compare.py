#!/usr/bin/env python3
"""Holds the schedules of Troupe against the reference, and its zones against zoneinfo. Knows the program `calendar`, and no other
part of Troupe.

usage: compare.py PROGRAM schedules [--cases N] [--seed S]   random expressions, zones and moments
       compare.py PROGRAM minutes [--cases N] [--seed S]     the reference against clocks read minute by minute
       compare.py PROGRAM croniter [--cases N] [--seed S]    in UTC against croniter, where both have the same rules
       compare.py PROGRAM zones [--step HOURS] [--all]       zones from 1970 to 2100: around each change, and every so many hours; without
                                                             --all a sample of them
exit status: 0, 1 after a difference, 77 if what to compare with is not installed
"""
import argparse
import datetime as dt
import os
import random
import subprocess
import sys
import zoneinfo

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import reference  # noqa: E402

YEAR = 31_556_952
FIRST, LAST = 0, 4_102_444_800  # 1970 to 2100
ODD = ["Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Beirut", "America/Santiago", "Pacific/Apia", "Asia/Kolkata",
       "Africa/Casablanca", "America/Sao_Paulo", "Europe/Dublin", "America/New_York", "Antarctica/Troll", "Asia/Gaza", "Pacific/Kwajalein",
       "America/Nuuk", "America/Caracas", "Asia/Pyongyang", "Pacific/Chatham", "Africa/Monrovia", "Asia/Tehran", "UTC"]


def zone_names():
    # "Factory" and "localtime" are no zones of a place, and "posix/" and "right/" are left out by zoneinfo.
    names = sorted(zoneinfo.available_timezones() - {"Factory", "localtime"})
    if len(names) < 300:
        sys.exit("zoneinfo finds only %d zones: install tzdata" % len(names))
    return names


def offset_at(zone, moment):
    return reference.offset(zone, moment)


def changes(name, first, last, step=6 * 3600, known={}):
    """The moments in the years between at which the offset changes; found by looking every `step` seconds."""
    if (name, first, last, step) in known:
        return known[name, first, last, step]
    zone, found = zoneinfo.ZoneInfo(name), []
    before = offset_at(zone, first)
    for moment in range(first + step, last, step):
        now = offset_at(zone, moment)
        if now == before:
            continue
        low, high = moment - step, moment
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset_at(zone, middle) == before else (low, middle)
        found.append(high)
        before = offset_at(zone, high)
    known[name, first, last, step] = found
    return found


class Maker:
    """Random expressions, most of them with few special forms."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def value(self, low, high, names=None):
        v = self.random.randint(low, high)
        return self.random.choice([n.lower() for n in names] + [n.upper() for n in names]) if names and self.random.random() < 0.3 else str(v)

    def item(self, low, high, names=None):
        kind = self.random.random()
        if kind < 0.4:
            return self.value(low, high, names)
        if kind < 0.6:
            a, b = sorted(self.random.sample(range(low, high + 1), 2))
            return f"{a}-{b}"
        step = self.random.randint(1, high - low)
        if kind < 0.75:
            return f"*/{step}"
        if kind < 0.85:
            return f"{self.random.randint(low, high)}/{step}"
        a, b = sorted(self.random.sample(range(low, high + 1), 2))
        return f"{a}-{b}/{step}"

    def field(self, low, high, star, names=None):
        if self.random.random() < star:
            return "*"
        return ",".join(self.item(low, high, names) for _ in range(self.random.choice([1, 1, 1, 2, 3])))

    def special(self, field, forms):
        if self.random.random() < 0.2:
            form = self.random.choice(forms)()
            return form if field == "*" or self.random.random() < 0.5 else field + "," + form
        return field

    def expression(self, special=True):
        if special and self.random.random() < 0.03:
            return self.random.choice(list(reference.MACROS))
        n = self.random.randint
        minute = self.field(0, 59, 0.05)
        hour = self.random.choice(["*", "*/1", "0-23", "0/1"]) if self.random.random() < 0.3 else self.field(0, 23, 0)
        if self.random.random() < 0.3:
            hour = str(n(0, 3))
        day, month, week = self.field(1, 31, 0.6), self.field(1, 12, 0.8, reference.NAMES[3]), self.field(0, 7, 0.6)
        if self.random.random() < 0.2:
            week = self.random.choice(["fri-sun", "MON-FRI", "sat", "Sun", "5-7", "7", "tue-sun/2"])
        if special:
            day = self.special(day, [lambda: "L", lambda: f"L-{n(1, 30)}", lambda: f"{n(1, 31)}W", lambda: "LW"])
            week = self.special(week, [lambda: f"{n(0, 7)}L", lambda: "fril", lambda: f"{n(0, 7)}#{n(1, 5)}", lambda: "mon#1"])
        return f"{minute} {hour} {day} {month} {week}"

    def case(self, names):
        name = self.random.choice(ODD if self.random.random() < 0.6 else names)
        moment = self.random.randint(FIRST + YEAR, LAST - 15 * YEAR)
        turns = changes(name, FIRST, LAST, 15 * 86400) if self.random.random() < 0.7 else []
        turns = [turn for turn in turns if turn < LAST - 15 * YEAR]
        if turns:
            moment = max(0, self.random.choice(turns) + self.random.randint(-2 * 86400, 86400))
        expressions = [self.expression() for _ in range(self.random.choice([1, 1, 1, 1, 2, 3]))]
        not_on = []
        if self.random.random() < 0.1:
            today = (reference.EPOCH + dt.timedelta(seconds=moment)).date()
            not_on = [today + dt.timedelta(days=self.random.randint(-3, 5)) for _ in range(3)]
        count = self.random.choice([1, 2, 3, 5, 5, 8, 150 if self.random.random() < 0.2 else 4])
        return expressions, name, not_on, moment, count


def ask(program, verb, lines):
    done = subprocess.run([program, verb], input="".join(line + "\n" for line in lines), capture_output=True, text=True, check=False)
    answers = done.stdout.splitlines()
    if done.returncode != 0 or len(answers) != len(lines):
        sys.exit(f"{program} {verb}: status {done.returncode}, {len(answers)} answers to {len(lines)} lines\n{done.stderr}")
    return answers


def line_of(expressions, name, not_on, moment, count):
    return "\t".join(["|".join(expressions), name, ",".join(map(str, not_on)), str(moment), str(count)])


def in_words(moments):
    return [str(reference.EPOCH + dt.timedelta(seconds=one)) for one in moments]


def schedules(program, cases, seed):
    make, names, wrong, never, compared = Maker(seed), zone_names(), 0, 0, 0
    asked = [make.case(names) for _ in range(cases)]
    for case, answer in zip(asked, ask(program, "next", [line_of(*case) for case in asked])):
        expressions, name, not_on, moment, count = case
        crons, zone = [reference.Cron(text) for text in expressions], zoneinfo.ZoneInfo(name)
        if answer.startswith("error: no date ever matches"):
            days = [dt.date(2000, 1, 1) + dt.timedelta(days=i) for i in range(146097)]
            if any(not any(map(cron.on, days)) for cron in crons):
                never += 1
                continue
        if answer.startswith("error"):
            print(f"{expressions} in {name}: {answer}")
            wrong += 1
            continue
        words = answer.split()
        ticks, before, counted = [int(word) for word in words[:-2]], words[-2], int(words[-1])
        # Rare dates are compared as far as the reference looks.
        horizon, since = moment + 12 * YEAR, max(0, moment - 3 * YEAR)
        if len(ticks) == count:
            horizon = min(horizon, ticks[-1])
        expected = reference.next_ticks(crons, zone, moment, count, horizon, not_on)
        last = reference.last_tick(crons, zone, moment, since if before == "-" or int(before) < since else int(before), not_on)
        near = int(before) if before != "-" and int(before) >= since else None
        if [one for one in ticks if one <= horizon] != expected or near != last or counted != len(ticks):
            print(f"{expressions} in {name} after {in_words([moment])[0]} without {not_on}:\n  expected {in_words(expected)}\n  "
                  f"got      {in_words(ticks)}\n  before   {last}, got {before}; counted {counted}\n  {line_of(*case)!r}")
            wrong += 1
        compared += len(expected) + (last is not None)
    print(f"{cases} schedules, {compared} ticks compared, {never} never come, {wrong} differ (seed {seed})")
    # What is not compared proves nothing.
    return 1 if wrong or compared < 2 * cases or never > cases // 5 else 0


def minutes(cases, seed):
    make, wrong, compared = Maker(seed), 0, 0
    for _ in range(cases):
        name = make.random.choice([one for one in ODD if one != "Africa/Monrovia"])  # its offset had seconds until 1972
        turns = [turn for turn in changes(name, FIRST, LAST, 15 * 86400) if turn > 5 * 86400]
        if not turns:
            turns = [make.random.randint(YEAR, LAST)]
        first = make.random.choice(turns) // 60 * 60 - make.random.randint(0, 2880) * 60
        last = first + 2 * 86400
        text, zone = make.expression(), zoneinfo.ZoneInfo(name)
        cron = reference.Cron(text)
        expected = reference.by_minutes(cron, zone, first, last)
        got = reference.next_ticks([cron], zone, first - 1, 1 << 30, last)
        compared += len(expected)
        if got != expected:
            print(f"{text} in {name} from {in_words([first])[0]}:\n  by minutes {in_words(expected)}\n  by days    {in_words(got)}")
            wrong += 1
    print(f"{cases} schedules of two days, {compared} ticks, {wrong} differ (seed {seed})")
    return 1 if wrong or compared < cases else 0


def against_croniter(program, cases, seed):
    try:
        import croniter
    except ImportError:
        # A Python of one's own does not see the system's packages.
        if os.path.exists("/usr/bin/python3") and not os.path.samefile(sys.executable, "/usr/bin/python3"):
            os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
        print("croniter is not installed (Debian: python3-croniter)")
        return 77
    make, wrong, asked = Maker(seed), 0, []
    while len(asked) < cases:
        text = make.expression(special=False)
        fields = text.lower().split()
        stars = [field.startswith("*") for field in (fields[2], fields[4])]
        cron = reference.Cron(text)
        # croniter joins the day fields with "or" if neither is "*" alone, takes 0-6 for "*", and reads SUN at the end of a range as 0.
        if any(stars) and "*" not in (fields[2], fields[4]) or "-sun" in text.lower():
            continue
        if (len(cron.days) == 31 and fields[2] != "*") or (len(cron.weekdays) == 7 and fields[4] != "*"):
            continue
        # After a short month it loses the first days of the next one if the days named do not end before the 29th.
        if fields[2] != "*" and max(cron.days) > 28:
            continue
        asked.append((text, make.random.randint(YEAR, LAST - 15 * YEAR)))
    compared = 0
    for (text, moment), answer in zip(asked, ask(program, "next", [line_of([text], "UTC", [], moment, 3) for text, moment in asked])):
        try:
            iterator = croniter.croniter(text, reference.EPOCH + dt.timedelta(seconds=moment))
            expected = [reference.seconds(iterator.get_next(dt.datetime)) for _ in range(3)]
        except croniter.CroniterBadDateError:
            continue  # it does not look as far as is needed, or the date never comes
        got = [int(word) for word in answer.split()[:-2]] if not answer.startswith("error") else answer
        compared += 1
        if got != expected:
            print(f"{text} after {in_words([moment])[0]}: croniter {in_words(expected)}, got {got if isinstance(got, str) else in_words(got)}")
            wrong += 1
    print(f"{compared} of {cases} schedules compared with croniter, {wrong} differ (seed {seed})")
    return 1 if wrong or compared < cases // 2 else 0


def zones(program, step, everything):
    names, wrong, compared = zone_names(), 0, 0
    if not everything:
        names = sorted(set(names[::8]) | set(ODD))
    for name in names:
        zone = zoneinfo.ZoneInfo(name)
        moments = set(range(FIRST, LAST, step * 3600 + 61))
        for turn in changes(name, FIRST, LAST, min(step, 15 * 24) * 3600):
            moments |= {turn - 3600, turn - 1, turn, turn + 1, turn + 3600}
        moments = sorted(moments)
        answer = ask(program, "offsets", ["\t".join([name] + [str(moment) for moment in moments])])[0]
        if answer.startswith("error"):
            print(f"{name}: {answer}")
            wrong += 1
            continue
        for moment, got in zip(moments, answer.split(" ")):
            local = (reference.EPOCH + dt.timedelta(seconds=moment)).astimezone(zone)
            expected = f"{int(local.utcoffset().total_seconds())},{1 if local.dst() else 0},{local.tzname()}"
            compared += 1
            if got != expected:
                print(f"{name} at {in_words([moment])[0]}: zoneinfo {expected}, got {got}")
                wrong += 1
                break
    print(f"{len(names)} zones, {compared} moments, {wrong} zones differ")
    return 1 if wrong or compared < 100 * len(names) else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("what", choices=["schedules", "minutes", "croniter", "zones"])
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--step", type=int, default=24 * 30, help="hours")
    parser.add_argument("--all", action="store_true", help="every zone")
    given = parser.parse_args()
    if given.what == "schedules":
        return schedules(given.program, given.cases, given.seed)
    if given.what == "minutes":
        return minutes(given.cases, given.seed)
    if given.what == "croniter":
        return against_croniter(given.program, given.cases, given.seed)
    return zones(given.program, given.step, given.all)


if __name__ == "__main__":
    sys.exit(main())
