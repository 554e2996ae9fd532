"""Made-up histories of 8 weeks by the hour and the promtool tests over them. Epoch 0 is their begin."""

import math
import random

HOURS = 56 * 24
DAY = 86400
MIB = 1024 * 1024

# What happens to a host's memory, as a factor on what it holds. `None`: nothing was scraped. Leaks begin on day 10.
ONSET = 10
BENIGN = ("calm", "step", "warmup", "sawtooth", "fortnight", "reboot", "gap", "stale")
LEAKS = {"leak05": 0.005, "leak1": 0.01, "leak2": 0.02, "leakgap": 0.015, "leakstale": 0.015}
BOOT_DAY = {"warmup": 20, "reboot": 30}  # else long ago


def factor(shape, day):
    since = day - ONSET
    if shape in LEAKS:
        if shape == "leakgap" and 26 <= day < 27.5 or shape == "leakstale" and day >= 45:
            return None
        return 1 + LEAKS[shape] * max(since, 0)
    if shape == "step":
        return 1.25 if day >= 25 else 1
    if shape == "warmup":
        return 1 - 0.5 * math.exp((20 - day) / 2) if day >= 20 else 1
    if shape == "reboot":
        return 1 - 0.2 * math.exp((30 - day) / 0.5) if day >= 30 else 1
    if shape == "sawtooth":
        return 1 + 0.3 * (day % 5) / 5
    if shape == "fortnight":
        return 1.2 if 25 <= day < 39 else 1
    if shape == "twosteps":
        return 1 + 0.1 * (day >= 24) + 0.1 * (day >= 33)
    if shape == "fill":
        return 1.4 - 0.4 * math.exp((20 - day) / 5) if day >= 20 else 1
    if shape == "staircase":
        return 1.07 ** int(max(since, 0) / 7)
    if shape == "gap" and 30 <= day < 34 or shape == "stale" and day >= 30:
        return None
    return 1


def course(shape, seed, daily=0.08, weekly=0.05, noise=0.015):
    """HOURS factors with the cycles of day and week and autocorrelated noise; None where nothing was scraped."""
    chance = random.Random(f"{shape}/{seed}")
    wander, out = 0.0, []
    for hour in range(HOURS):
        day = hour / 24
        wander = 0.95 * wander + chance.gauss(0, noise * math.sqrt(1 - 0.95**2))
        busy = max(0.0, math.sin((hour % 24 - 7) / 12 * math.pi)) * daily
        weekday = weekly if int(day) % 7 < 5 else 0.0
        level = factor(shape, day)
        out.append(None if level is None else level * (1 + busy + weekday + wander))
    return out


def values(numbers):
    """promtool's notation; a hole begins with a stale marker."""
    out, previous, run = [], None, 0
    for number in numbers:
        if number is None:
            out.append("stale" if previous is not None else "_")
        else:
            out.append(number if isinstance(number, str) else f"{number:.10g}")
        previous = number
    text = []
    for word in out:
        if text and text[-1][0] == word:
            text[-1][1] += 1
        else:
            text.append([word, 1])
    return " ".join(
        " ".join([word] * run)
        if run < 3 or word in ("stale", "Inf", "NaN", "+Inf") or word == "_"
        else f"{word}+0x{run - 1}"
        for word, run in text
    )


def series(name, labels, numbers):
    inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return {"series": f"{name}{{{inside}}}", "values": values(numbers)}


class Host:
    """The series of one host whose memory takes the given course."""

    def __init__(self, shape, name, job):
        self.shape, self.name, self.target, self.series = shape, name, {"job": job, "instance": name}, []
        self.seen = [value is not None for value in course(shape, 0)]

    def put(self, metric, numbers, **labels):
        self.series.append(series(metric, {**labels, **self.target}, numbers))

    def constant(self, metric, value, **labels):
        self.put(metric, [value if there else None for there in self.seen], **labels)

    def scaled(self, metric, size, part, offset=0.0, **labels):
        """offset + size x the course; `part` makes a course of its own."""
        numbers = [None if v is None else offset + v * size for v in course(self.shape, f"{self.name}/{part}")]
        self.put(metric, numbers, **labels)
        return numbers

    def boot(self, metric="kmem_boot_time_seconds"):
        day = BOOT_DAY.get(self.shape)
        self.put(
            metric,
            [
                None if not there else day * DAY if day and hour >= day * 24 else -30 * DAY
                for hour, there in enumerate(self.seen)
            ],
        )


def judged_host(shape):
    """Its exporter has judged for weeks: everything that layer 1 reads. Of a leak it knows 11 days after its onset."""
    host = Host(shape, f"{shape}-judged", "kmem")
    limit = (260 if shape in LEAKS else 343) * MIB
    pool = host.scaled("kmem_pool_bytes", 110 * MIB, "paged", 65 * MIB, pool="paged")
    host.constant("kmem_pool_limit_bytes", limit, pool="paged")
    host.constant("kmem_pool_trim_threshold_bytes", limit * 0.8, pool="paged")
    host.scaled("kmem_commit_bytes", 8e9, "commit")
    host.constant("kmem_commit_limit_bytes", 15e9)
    host.scaled("kmem_system_ptes_free", -9e6, "ptes", 21e6)
    host.constant("kmem_system_ptes_free_boot_max", 12.4e6)
    host.constant("up", 1)
    host.constant("kmem_scrape_collector_success", 1, collector="pool_tags")
    host.constant("kmem_pool_failure_events_total", 0, provider="Srv", event_id="2020")
    host.constant("kmem_trend_state_failures_total", 0, reason="damaged")
    host.boot()
    slope = LEAKS.get(shape, 0) * 110 * MIB / DAY
    known = [shape in LEAKS and hour / 24 >= ONSET + 11 for hour in range(HOURS)]

    def said(metric, leak, else_, **labels):
        host.put(
            metric,
            [
                None if not there else (leak(hour) if callable(leak) else leak) if known[hour] else else_
                for hour, there in enumerate(host.seen)
            ],
            **labels,
        )

    tag = {"pool": "paged", "tag": "MmSt"}
    said("kmem_pool_tag_leak_suspect", 1, 0, **tag)
    said("kmem_pool_tag_leak_confidence", 0.8, 0.1, **tag)
    said("kmem_pool_tag_trend_bytes_per_second", slope, 3.0, window="28d", **tag)
    said("kmem_exhaustion_seconds", lambda hour: max(limit - pool[hour], 0) / slope, "+Inf", resource="paged")
    host.put(
        "kmem_pool_headroom_bytes", [None if v is None else limit - v for v in pool], pool="paged", bound="pool_limit"
    )
    said("kmem_system_ptes_trend_per_second", -LEAKS.get(shape, 0) * 9e6 / DAY, 0, window="7d")
    for resource in ("commit", "system_ptes"):
        host.constant("kmem_exhaustion_seconds", "+Inf", resource=resource)
    host.put(
        "kmem_trend_history_seconds",
        [None if not there else min(30 * DAY + hour * 3600, 56 * DAY) for hour, there in enumerate(host.seen)],
    )
    return host


def troubled_host():
    """An x86 server of which everything but its pools gets worse from day 10 on, each at a pace of its own, and whose
    exporter has troubles on days 12 (down for 12 hours), 14 (a collector) and 16 (its history)."""
    host, hours = Host("calm", "troubled", "kmem"), range(HOURS)

    def falls(metric, start, a_day, **labels):
        numbers = [start + a_day * max(hour / 24 - ONSET, 0) for hour in hours]
        host.put(metric, numbers, **labels)
        return numbers

    ptes = falls("kmem_system_ptes_free", 180000, -4000)
    host.constant("kmem_system_ptes_free_boot_max", 180000)
    commit = falls("kmem_commit_bytes", 8e9, 2e8)
    host.constant("kmem_commit_limit_bytes", 15e9)
    host.put("kmem_exhaustion_seconds", [max(free - 12000, 0) / 4000 * DAY for free in ptes], resource="system_ptes")
    host.put("kmem_exhaustion_seconds", [max(15e9 - used, 0) / 2e8 * DAY for used in commit], resource="commit")
    host.put(
        "kmem_pool_failure_events_total", [int(hour >= 40 * 24) for hour in hours], provider="Srv", event_id="2020"
    )
    host.put(
        "kmem_pool_failure_last_event_timestamp_seconds",
        [None if hour < 40 * 24 else 40 * DAY for hour in hours],
        provider="Srv",
        event_id="2020",
    )
    host.put("up", [int(not 12 * 24 <= hour < 12 * 24 + 12) for hour in hours])
    host.put(
        "kmem_scrape_collector_success",
        [int(not 14 * 24 <= hour < 14 * 24 + 12) for hour in hours],
        collector="pool_tags",
    )
    host.put(
        "kmem_trend_history_seconds",
        [DAY * 30 + hour * 3600 if hour < 16 * 24 else (hour - 16 * 24) * 3600 for hour in hours],
    )
    return host


def young_host(shape):
    """Its exporter knows nothing yet: what layer 2 reads."""
    host = Host(shape, f"{shape}-young", "kmem")
    host.scaled("kmem_pool_tag_bytes", 110 * MIB, "MmSt", pool="paged", tag="MmSt")
    host.scaled("kmem_pool_bytes", 110 * MIB, "paged", 165 * MIB, pool="paged")
    host.constant("kmem_pool_limit_bytes", 343 * MIB, pool="paged")
    host.scaled("kmem_commit_bytes", 8e9, "commit")
    host.constant("kmem_commit_limit_bytes", 14e9)
    host.scaled("kmem_system_ptes_free", -150000, "ptes", 320000)
    lost = 250 if shape in LEAKS else 0  # handles a day
    host.put(
        "kmem_process_handles",
        [
            None if v is None else v * 3000 + lost * max(hour / 24 - ONSET, 0)
            for hour, v in enumerate(course("calm" if lost else shape, f"{host.name}/handles"))
        ],
        process="svc",
        pid="77",
    )
    host.boot()
    return host


def windows_exporter_host(shape):
    host = Host(shape, f"{shape}-windows", "windows")
    host.scaled("windows_memory_pool_paged_bytes", 150 * MIB, "paged")
    host.scaled("windows_memory_pool_nonpaged_bytes", 40 * MIB, "nonpaged")
    host.scaled("windows_memory_committed_bytes", 8e9, "commit")
    host.constant("windows_memory_commit_limit", 15e9)
    host.scaled("windows_memory_free_system_page_table_entries", -9e6, "ptes", 21e6)
    host.boot("windows_system_boot_time_timestamp")
    return host
