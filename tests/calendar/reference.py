"""When a cron expression fires, written as plainly as possible: for each local day, each matching minute of it. Knows zoneinfo
and nothing of Troupe. `by_minutes` says the same a second time, from the clock that a zone shows minute by minute."""
import calendar
import datetime as dt
import zoneinfo

UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
NAMES = {3: "jan feb mar apr may jun jul aug sep oct nov dec".split(), 4: "sun mon tue wed thu fri sat".split()}
BOUNDS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]
MACROS = {"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *",
          "@midnight": "0 0 * * *", "@hourly": "0 * * * *"}


class Cron:
    def __init__(self, text):
        fields = MACROS.get(text.lower(), text.lower()).split()
        self.special = [[], []]  # of the day of the month, of the day of the week
        self.minutes, self.hours, self.days, self.months, self.weekdays = [self.field(i, field) for i, field in enumerate(fields)]
        self.both = fields[2][0] == "*" or fields[4][0] == "*"
        self.real_time = self.hours == set(range(24))

    def field(self, i, text):
        values = set()
        for item in text.split(","):
            if i == 2 and ("l" in item or "w" in item):
                self.special[0].append(item)
                continue
            if i == 4 and ("#" in item or item.endswith("l")):
                self.special[1].append(item)
                continue
            span, _, step = item.partition("/")
            low, high = BOUNDS[i]
            if span != "*":
                first, _, last = span.partition("-")
                low, high = self.value(i, first), self.value(i, last) if last else high if step else self.value(i, first)
                if i == 4 and (last == "sun" or step and not last):
                    high = 7
            values |= {v % 7 if i == 4 else v for v in range(low, max(low, high) + 1, int(step or 1))}
        return values

    @staticmethod
    def value(i, text):
        return int(text) if text.isdigit() else NAMES[i].index(text) + BOUNDS[i][0]

    def on(self, day):
        if day.month not in self.months:
            return False
        last = calendar.monthrange(day.year, day.month)[1]
        week = (day.weekday() + 1) % 7

        def nearest(n):
            weekday = dt.date(day.year, day.month, n).weekday() if n <= last else None
            return {None: 0, 5: n - 1 if n > 1 else 3, 6: n + 1 if n < last else n - 2}.get(weekday, n)

        def month_item(item):
            if item == "lw":
                return day.day == nearest(last)
            return day.day == (nearest(int(item[:-1])) if item[-1] == "w" else last - int(item[2:] or 0))

        def week_item(item):
            if item[-1] == "l":
                return self.value(4, item[:-1]) % 7 == week and day.day + 7 > last
            which, k = item.split("#")
            return self.value(4, which) % 7 == week and (day.day + 6) // 7 == int(k)

        of_month = day.day in self.days or any(map(month_item, self.special[0]))
        of_week = week in self.weekdays or any(map(week_item, self.special[1]))
        return of_month and of_week if self.both else of_month or of_week


def seconds(moment):
    return int((moment - EPOCH) // dt.timedelta(seconds=1))


def ticks_of_day(cron, zone, day, not_on=()):
    """The moments, in seconds, at which the minutes of a local day that match are ticks."""
    found = set()
    if day in not_on or not cron.on(day):
        return found
    for hour in cron.hours:
        for minute in cron.minutes:
            local = dt.datetime(day.year, day.month, day.day, hour, minute)
            passes = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
            if passes[0].astimezone(zone).replace(tzinfo=None) == local:
                found |= {seconds(one) for one in passes} if cron.real_time else {seconds(passes[0])}
            elif not cron.real_time:  # skipped: the change lies between the two readings of it
                low, high = seconds(passes[1]), seconds(passes[0])
                before = offset(zone, low)
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (middle, high) if offset(zone, middle) == before else (low, middle)
                found.add(high)
    return found


def offset(zone, moment):
    return (EPOCH + dt.timedelta(seconds=moment)).astimezone(zone).utcoffset()


def next_ticks(crons, zone, after, count, until, not_on=()):
    """Up to `count` ticks after the moment, none after `until`, in order."""
    day = (EPOCH + dt.timedelta(seconds=after)).astimezone(zone).date() - dt.timedelta(days=2)
    found, more = set(), 3  # changes move a time by up to a day: three days more than are needed
    while more and (day - dt.date(1970, 1, 1)).days * 86400 < until + 3 * 86400:
        for cron in crons:
            found |= {one for one in ticks_of_day(cron, zone, day, not_on) if after < one <= until}
        more -= len(found) >= count
        day += dt.timedelta(days=1)
    return sorted(found)[:count]


def last_tick(crons, zone, before, since, not_on=()):
    """The last tick before the moment that is not before `since`, or None."""
    day = (EPOCH + dt.timedelta(seconds=before)).astimezone(zone).date() + dt.timedelta(days=2)
    found, more = set(), 3
    while more and (day - dt.date(1970, 1, 1)).days * 86400 > since - 3 * 86400:
        for cron in crons:
            found |= {one for one in ticks_of_day(cron, zone, day, not_on) if since <= one < before}
        more -= bool(found)
        day -= dt.timedelta(days=1)
    return max(found, default=None)


def by_minutes(cron, zone, first, last, not_on=()):
    """All ticks in [first, last], from the clock alone: first must be a whole minute, and the zone's offsets too."""
    def matches(local):
        return (local.minute in cron.minutes and local.hour in cron.hours and cron.on(local.date()) and local.date() not in not_on)

    found, reached = [], None
    for moment in range(first - 3 * 86400, last + 1, 60):
        local = (EPOCH + dt.timedelta(seconds=moment)).astimezone(zone).replace(tzinfo=None, fold=0)
        if cron.real_time:
            tick = matches(local)
        else:
            skipped = []
            if reached is not None and local > reached:
                skipped = [reached + dt.timedelta(minutes=i) for i in range(1, (local - reached) // dt.timedelta(minutes=1))]
            tick = (reached is None or local > reached) and (matches(local) or any(map(matches, skipped)))
        reached = local if reached is None else max(reached, local)
        if tick and first <= moment:
            found.append(moment)
    return found


def zone_named(name):
    return zoneinfo.ZoneInfo(name)
