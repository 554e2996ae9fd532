#!/usr/bin/env python3
"""Made-up hosts to show what weeks of a leak look like: every value is a function of host and time, so that a history
and what is served now fit together. Nothing here was measured.

  demo_hosts.py csv HOST --start T --end T       what the kernel of HOST showed, as `backfill` reads it
  demo_hosts.py serve --address 127.0.0.1:10060  the pages of now, one a host: /metrics?host=NAME
"""

import argparse
import functools
import http.server
import json
import math
import socketserver
import sys
import time
import urllib.parse
from dataclasses import dataclass, field

DAY, HOUR, MIB = 86400, 3600, 1 << 20
HISTORY_SECONDS = 56 * DAY
STEP = 1800
WINDOWS = {"1d": DAY, "7d": 7 * DAY, "28d": 28 * DAY}
SHORT_WINDOWS = {"5m": 300, "1h": HOUR, "6h": 6 * HOUR}


def noise(seed, time):
    """-1..1, the same for the same arguments, smooth over an hour."""

    def at(hour):
        x = (hash_text(seed) ^ (hour * 0x9E3779B1)) & 0xFFFFFFFF
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
            x = ((x ^ (x >> shift)) * factor) & 0xFFFFFFFF
        return (x ^ (x >> 16)) / 0x7FFFFFFF - 1

    hour, part = divmod(int(time), HOUR)
    return at(hour) + (at(hour + 1) - at(hour)) * part / HOUR


@functools.lru_cache(maxsize=None)
def hash_text(text):
    value = 2166136261
    for byte in text.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def cycle(seed, time, daily, weekly, rough):
    """A factor around 1: busy by day, quiet at the weekend, never quite the same."""
    phase = (hash_text(seed) % 7200) - 3600
    day = math.sin((time + phase) / DAY * 2 * math.pi - math.pi / 2)
    week = 1 if (time // DAY + 4) % 7 < 5 else -1  # 1970-01-01 was a Thursday
    return 1 + daily * day + weekly * week + rough * noise(seed, time)


@dataclass(frozen=True)
class Tag:
    name: str
    pool: str
    base: float  # bytes
    each: float  # bytes an allocation
    rate: float  # allocations a second
    daily: float = 0.04
    leak_a_day: float = 0
    driver: str = ""
    description: str = ""
    source: str = "pooltag.txt"


@dataclass(frozen=True)
class Host:
    name: str
    tags: tuple
    untagged: dict  # pool -> bytes that no tag holds
    limits: dict  # pool -> (bytes, source, rule)
    trim: dict
    settings: dict
    memory: int
    commit: tuple  # base, limit
    boots: tuple = ()  # days before `end` at which it started
    ptes: tuple = ()  # free after boot, used up a day
    events: tuple = ()  # (provider, id, days before `end`)
    processes: tuple = ()
    sessions: tuple = ()
    linux: bool = False
    resources: dict = field(default_factory=dict)
    surge: tuple = ()  # tag, bytes an hour, hours before `end` at which it begins, hours until it is given back

    @property
    def instance(self):
        return f"demo-{self.name}:10054"


def windows_tags(scale, leak=0.0):
    paged, nonpaged = "paged", "nonpaged"
    return (
        Tag("Sfv1", paged, 6.2 * MIB * scale, 336, 3, 0.03, leak, "scanflt.sys", "scan filter, work items"),
        Tag("MmSt", paged, 41 * MIB * scale, 2900, 9, 0.10, 0, "nt!mm", "Mm section object prototype ptes"),
        Tag("Ntff", paged, 24 * MIB * scale, 1100, 30, 0.08, 0, "ntfs.sys", "FCB_DATA"),
        Tag("NtfF", paged, 9 * MIB * scale, 800, 12, 0.06, 0, "ntfs.sys", "FCB_INDEX"),
        Tag("CM35", paged, 18 * MIB * scale, 4096, 0.5, 0.01, 0, "nt!cm", "Internal configuration manager allocations"),
        Tag("Toke", paged, 5 * MIB * scale, 1200, 14, 0.12, 0, "nt!se", "Token objects"),
        Tag("File", nonpaged, 8 * MIB * scale, 152, 160, 0.10, 0, "nt!io", "File objects"),
        Tag("MmCm", nonpaged, 11 * MIB * scale, 9000, 0.2, 0.0, 0, "nt!mm", "Calls made to MmAllocateContiguousMemory"),
        Tag("TCPt", nonpaged, 3 * MIB * scale, 640, 40, 0.15, 0, "tcpip.sys", "TCP/IP network protocol"),
        Tag("Irp ", nonpaged, 2 * MIB * scale, 520, 300, 0.15, 0, "nt!io", "Io, IRP packets"),
        Tag("Even", nonpaged, 1.5 * MIB * scale, 48, 90, 0.10, 0, "nt!ob", "Event objects"),
    )


def x86_file_server(name, leak, boots, events):
    return Host(
        name,
        windows_tags(1, leak),
        {"paged": 60 * MIB, "nonpaged": 14 * MIB},
        {"paged": (343 * MIB, "kernel", "MmSizeOfPagedPoolInBytes"), "nonpaged": (256 * MIB, "estimate", "x86")},
        {"paged": int(343 * MIB * 0.8)},
        {"PagedPoolSize": 0, "NonPagedPoolSize": 0, "PoolUsageMaximum": 80, "SystemPages": 0},
        4 << 30,
        (1.4 * (1 << 30), 5.8 * (1 << 30)),
        boots,
        (24_800, 62 if leak else 0),
        events,
        (("System", 4, 5200, 0), ("svchost", 912, 1900, 14 if leak else 0), ("lsass", 480, 1400, 0)),
        sessions=(0, 1),
        resources={"paged": 343 * MIB, "system_ptes": 12_000},
    )


LINUX_TAGS = tuple(
    Tag(*row, description="", source="", driver="")
    for row in (
        ("kmalloc-512", "slab_unreclaimable", 21 * MIB, 512, 900, 0.08),
        ("kmalloc-64", "slab_unreclaimable", 7 * MIB, 64, 2000, 0.05),
        ("skbuff_head_cache", "slab_unreclaimable", 5 * MIB, 256, 5000, 0.2),
        ("task_struct", "slab_unreclaimable", 9 * MIB, 6080, 30, 0.03),
        ("dentry", "slab_reclaimable", 180 * MIB, 192, 800, 0.15),
        ("ext4_inode_cache", "slab_reclaimable", 320 * MIB, 1096, 90, 0.12),
    )
) + (
    Tag("nf_conntrack", "slab_unreclaimable", 12 * MIB, 320, 700, 0.1, 0, "nf_conntrack", "connections", "modules"),
)

HOSTS = {
    host.name: host
    for host in (
        x86_file_server("files-01", 2.72 * MIB, (54.3,), (("Srv", 2020, 6.4), ("Srv", 2020, 3.1), ("Srv", 2020, 1.2))),
        x86_file_server("files-02", 0, (40.2, 12.2), ()),
        Host(
            "sql-01",
            windows_tags(3),
            {"paged": 210 * MIB, "nonpaged": 160 * MIB},
            {"paged": (128 << 30, "estimate", "x64"), "nonpaged": (int(0.75 * (64 << 30)), "estimate", "x64")},
            {},
            {"PagedPoolSize": 0, "NonPagedPoolSize": 0},
            64 << 30,
            (49 * (1 << 30), 72 * (1 << 30)),
            (63.5, 28.1),
            (16_600_000, 0),
            (),
            (("System", 4, 9200, 0), ("sqlservr", 2216, 4100, 0)),
            resources={"system_ptes": 12_000, "commit": 72 << 30},
        ),
        Host(
            "web-03",
            LINUX_TAGS,
            {"slab_unreclaimable": 60 * MIB, "slab_reclaimable": 40 * MIB},
            {},
            {},
            {"overcommit_memory": 0, "swappiness": 60, "vfs_cache_pressure": 100},
            16 << 30,
            (3.6 * (1 << 30), 10 * (1 << 30)),
            (49.8,),
            (),
            (),
            (("nginx", 711, 2100, 0), ("systemd", 1, 310, 0)),
            linux=True,
            resources={"slab_unreclaimable": 16 << 30},
            surge=("nf_conntrack", 450 * MIB, 11, 26),
        ),
    )
}


class Run:
    """One host over one history. `end` places its boots and events; `verdicts` is what `analyze` says of the history."""

    def __init__(self, host, end, verdicts=None):
        self.host, self.end, self.verdicts = host, end, verdicts or {}
        self.boots = sorted(int(end - days * DAY) for days in host.boots)

    def boot(self, time):
        return max((boot for boot in self.boots if boot <= time), default=self.end - int(70.5 * DAY))

    def bytes_of(self, tag, time):
        uptime = time - self.boot(time)
        warm = 1 - 0.35 * math.exp(-uptime / (0.6 * DAY))
        value = (
            tag.base * warm * cycle(self.host.name + tag.name, time, tag.daily, tag.daily / 3, tag.daily / 4 + 0.004)
        )
        return int(value + tag.leak_a_day * uptime / DAY + self.surged(tag.name, time))

    def surged(self, name, time):
        """Bytes that the surge of this tag has added."""
        tag, an_hour, before, lasts = self.host.surge or (None, 0, 0, 0)
        grown = time - (self.end - before * HOUR)
        return an_hour * grown / HOUR if name == tag and 0 < grown < lasts * HOUR else 0.0

    def surges(self, tag, time):
        """Told once it has grown by 0.6 of what is left."""
        grown = self.surged(tag.name, time)
        return grown > 0 and grown >= 0.6 * min(self.headroom(tag.pool, time).values())

    def live(self, tag, time):
        return int(self.bytes_of(tag, time) / tag.each)

    def frees(self, tag, time):
        """Never less than before: the day's cycle is added as its integral."""
        uptime = time - self.boot(time)
        swing = 0.6 * DAY / (2 * math.pi) * (1 - math.cos(uptime / DAY * 2 * math.pi))
        return int(tag.rate * (uptime + swing) * 0.6)

    def pools(self):
        return list(dict.fromkeys(tag.pool for tag in self.host.tags))

    @functools.lru_cache(maxsize=64)
    def pool_bytes(self, pool, time):
        rest = self.host.untagged[pool] * cycle(self.host.name + pool, time, 0.02, 0.01, 0.004)
        return int(rest) + sum(self.bytes_of(tag, time) for tag in self.host.tags if tag.pool == pool)

    def ptes(self, time):
        free, a_day = self.host.ptes
        uptime = time - self.boot(time)
        return int(free * cycle(self.host.name + "pte", time, 0.008, 0.004, 0.004) - a_day * uptime / DAY)

    def commit(self, time):
        return int(self.host.commit[0] * cycle(self.host.name + "commit", time, 0.10, 0.03, 0.02))

    @functools.lru_cache(maxsize=None)
    def _floor(self, kind, key, day):
        read = {
            "tag": lambda at: self.bytes_of(key, at),
            "pool": lambda at: self.pool_bytes(key, at),
            "ptes": lambda at: self.ptes(at),
            "commit": lambda at: self.commit(at),
        }[kind]
        return min(read(day * DAY + hour * HOUR) for hour in range(0, 24, 2))

    def slope(self, kind, key, window, time):
        """Growth of the daily floor over the window, a second; None while the history is younger."""
        today, days = int(time // DAY) - 1, WINDOWS[window] // DAY
        if (today - days) * DAY < self.end - HISTORY_SECONDS:
            return None
        # A boot starts anew: what was before it, and the warm-up of two days, say nothing.
        first = max(today - days, int(self.boot(time) // DAY) + 3)
        if first >= today:
            return 0.0
        return (self._floor(kind, key, today) - self._floor(kind, key, first)) / ((today - first) * DAY)

    def short_slope(self, read, key, window, time):
        before = time - SHORT_WINDOWS[window]
        return None if before < self.boot(time) else (read(key, time) - read(key, before)) / SHORT_WINDOWS[window]

    def detected(self, pool, tag, time):
        verdict = self.verdicts.get(f"{pool}/{tag}")
        return verdict is not None and time >= verdict["first_detected"]

    def confidence(self, pool, tag, time):
        verdict = self.verdicts.get(f"{pool}/{tag}")
        if verdict is None:
            return round(0.04 + 0.03 * noise(self.host.name + tag, time // DAY * DAY), 3)
        # It grows with the evidence: half by the day it was found.
        waited = verdict["first_detected"] - verdict["since"]
        age = time // (4 * HOUR) * (4 * HOUR) - verdict["since"]
        return round(max(0.0, min(verdict["confidence"], 0.5 * age / waited)), 3)

    def headroom(self, pool, time):
        """By bound, as the exporter reckons it."""
        host, left = self.host, {}
        if pool in host.limits:
            left["pool_limit"] = host.limits[pool][0] - self.pool_bytes(pool, time)
        if not host.linux:
            left["commit_limit"] = int(host.commit[1]) - self.commit(time)
        if pool in ("nonpaged", "slab_unreclaimable"):
            left["available_memory"] = self.available(time)
        return left

    def available(self, time):
        grown = self.surged(self.host.surge[0], time) if self.host.surge else 0
        return int(self.host.memory - min(self.commit(time) + grown, self.host.memory * 0.9))

    @functools.lru_cache(maxsize=None)
    def _room(self, resource, hour):
        """What is left at the tightest hour of the day until `hour`, and to which bound."""

        def left(time):
            if resource == "system_ptes":
                return {"fewest_entries": self.ptes(time) - self.host.resources[resource]}
            if resource == "commit":
                return {"commit_limit": self.host.resources[resource] - self.commit(time)}
            return self.headroom(resource, time)

        rooms = [pair for back in range(24) for pair in left((hour - back) * HOUR).items()]
        bound, room = min(rooms, key=lambda pair: pair[1])
        return max(0, room), bound

    def exhaustion(self, resource, time):
        """Seconds, the room and the pace that they divide, and the bound."""
        room, bound = self._room(resource, int(time // HOUR))
        pace = 0.0
        if resource == "system_ptes":
            slope = self.slope("ptes", None, "28d", time)
            if slope is not None and slope * 365 * DAY < -self.ptes(time) / 10:
                pace = -slope
        elif resource != "commit" and any(self.detected(resource, tag.name, time) for tag in self.host.tags):
            slope = self.slope("pool", resource, "28d", time) or self.slope("pool", resource, "7d", time) or 0.0
            pace = max(0.0, slope)
        # What surges ends by what is left at this moment.
        if any(tag.pool == resource and self.surges(tag, time) for tag in self.host.tags):
            bound, room = min(self.headroom(resource, time).items(), key=lambda pair: pair[1])
            pace = self.host.surge[1] / HOUR
        return (room / pace if pace else math.inf), room, pace, bound

    def csv(self, start, end):
        yield "timestamp,pool,tag,bytes,allocs,frees,boot_time\n"
        for now in range(start, end + 1, STEP):
            boot = self.boot(now)
            for pool in self.pools():
                yield f"{now},{pool},,{self.pool_bytes(pool, now)},,,{boot}\n"
            for tag in self.host.tags:
                frees = self.frees(tag, now)
                yield f"{now},{tag.pool},{tag.name},{self.bytes_of(tag, now)},{frees + self.live(tag, now)},{frees},{boot}\n"

    def recorded(self, now):
        """What `backfill` makes of the CSV."""
        for pool in self.pools():
            tags = [tag for tag in self.host.tags if tag.pool == pool]
            yield "kmem_pool_bytes", (("pool", pool),), self.pool_bytes(pool, now)
            yield "kmem_pool_tags", (("pool", pool),), len(tags)
            yield "kmem_pool_other_bytes", (("pool", pool),), 0
            yield "kmem_pool_other_outstanding_allocations", (("pool", pool),), 0
            for tag in tags:
                labels = (("pool", pool), ("tag", tag.name))
                frees, live = self.frees(tag, now), self.live(tag, now)
                yield "kmem_pool_tag_bytes", labels, self.bytes_of(tag, now)
                yield "kmem_pool_tag_outstanding_allocations", labels, live
                yield "kmem_pool_tag_allocations_total", labels, frees + live
                yield "kmem_pool_tag_frees_total", labels, frees
        yield "kmem_boot_time_seconds", (), self.boot(now)

    def rest(self, now):
        """What no recording holds: limits, PTEs, commit, verdicts, and the exporter's word on itself."""
        host = self.host
        for pool in self.pools():
            labels = (("pool", pool),)
            if not host.linux:
                of_pool = [tag for tag in host.tags if tag.pool == pool]
                frees = sum(self.frees(tag, now) for tag in of_pool) * 3
                yield "kmem_pool_allocations_total", labels, frees + sum(self.live(tag, now) for tag in of_pool)
                yield "kmem_pool_frees_total", labels, frees
                yield "kmem_pool_lookaside_hits_total", labels, int(frees * 0.7)
            if pool == "paged":
                yield "kmem_pool_resident_bytes", labels, int(self.pool_bytes(pool, now) * 0.62)
            if pool in host.limits:
                limit, source, rule = host.limits[pool]
                yield "kmem_pool_limit_bytes", labels, limit
                yield "kmem_pool_limit_info", labels + (("source", source), ("rule", rule)), 1
            if pool != "slab_reclaimable":
                for bound, left in self.headroom(pool, now).items():
                    yield "kmem_pool_headroom_bytes", labels + (("bound", bound),), left
            if pool in host.trim:
                yield "kmem_pool_trim_threshold_bytes", labels, host.trim[pool]
            yield "kmem_pool_tag_evictions_total", labels, 0
            yield (
                "kmem_leak_suspects",
                labels,
                sum(self.detected(pool, tag.name, now) for tag in host.tags if tag.pool == pool),
            )
            if pool != "slab_reclaimable":
                yield (
                    "kmem_surge_suspects",
                    labels,
                    sum(self.surges(tag, now) for tag in host.tags if tag.pool == pool),
                )
            for window in WINDOWS:
                if (slope := self.slope("pool", pool, window, now)) is not None:
                    yield "kmem_pool_trend_bytes_per_second", labels + (("window", window),), slope
            for window in SHORT_WINDOWS:
                if (slope := self.short_slope(self.pool_bytes, pool, window, now)) is not None:
                    yield "kmem_pool_trend_bytes_per_second", labels + (("window", window),), slope
        for tag in host.tags:
            labels = (("pool", tag.pool), ("tag", tag.name))
            if tag.driver:
                yield (
                    "kmem_pool_tag_info",
                    labels + (("driver", tag.driver), ("description", tag.description), ("source", tag.source)),
                    1,
                )
            yield "kmem_pool_tag_leak_confidence", labels, self.confidence(tag.pool, tag.name, now)
            yield "kmem_pool_tag_leak_suspect", labels, int(self.detected(tag.pool, tag.name, now))
            for window in WINDOWS:
                if (slope := self.slope("tag", tag, window, now)) is not None:
                    yield "kmem_pool_tag_trend_bytes_per_second", labels + (("window", window),), slope
            if tag.pool == "slab_reclaimable":
                continue
            surges = self.surges(tag, now)
            yield "kmem_pool_tag_surge_suspect", labels, int(surges)
            for window in SHORT_WINDOWS if surges else ():
                if (slope := self.short_slope(self.bytes_of, tag, window, now)) is not None:
                    yield "kmem_pool_tag_trend_bytes_per_second", labels + (("window", window),), slope
        if host.ptes:
            yield "kmem_system_ptes_free", (), self.ptes(now)
            yield "kmem_system_ptes_free_boot_max", (), int(host.ptes[0] * 1.012)
        for window in WINDOWS:
            if host.ptes and (slope := self.slope("ptes", None, window, now)) is not None:
                yield "kmem_system_ptes_trend_per_second", (("window", window),), slope
            if (slope := self.slope("commit", None, window, now)) is not None:
                yield "kmem_commit_trend_bytes_per_second", (("window", window),), slope
        commit = self.commit(now)
        yield "kmem_commit_bytes", (), commit
        yield "kmem_commit_limit_bytes", (), int(host.commit[1])
        if not host.linux:
            yield "kmem_commit_peak_bytes", (), int(host.commit[0] * 1.16)
        yield "kmem_physical_memory_bytes", (), host.memory
        yield "kmem_available_bytes", (), self.available(now)
        yield "kmem_file_cache_bytes", (), int(host.memory * 0.07 * cycle(host.name + "cache", now, 0.2, 0.05, 0.05))
        if host.linux:
            yield "kmem_kernel_stack_bytes", (), int(11 * MIB * cycle(host.name + "stack", now, 0.05, 0.02, 0.01))
            yield "kmem_page_table_bytes", (), int(64 * MIB * cycle(host.name + "pt", now, 0.1, 0.02, 0.02))
        for resource in host.resources:
            seconds, room, pace, bound = self.exhaustion(resource, now)
            labels = (("resource", resource),)
            yield "kmem_exhaustion_seconds", labels, seconds
            yield "kmem_exhaustion_room", labels + (("bound", bound),), room
            yield "kmem_exhaustion_pace_per_second", labels, pace
        for process, pid, handles, grows in host.processes:
            labels = (("process", process), ("pid", pid))
            used = handles * cycle(host.name + process, now, 0.05, 0.02, 0.01) + grows * (now - self.boot(now)) / DAY
            yield "kmem_process_handles", labels, int(used)
            if not host.linux:
                for pool in ("paged", "nonpaged"):
                    yield (
                        "kmem_process_pool_bytes",
                        labels + (("pool", pool),),
                        int(used * (190 if pool == "paged" else 40)),
                    )
        for session in host.sessions:
            labels = (("session", session), ("pool", "paged"))
            size = int(3.1 * MIB * cycle(f"{host.name} session {session}", now, 0.2, 0.05, 0.03))
            yield "kmem_session_pool_bytes", labels, size
            tag = labels + (("tag", "Gh05"),)
            yield "kmem_session_pool_tag_bytes", tag, int(size * 0.6)
            yield "kmem_session_pool_tag_outstanding_allocations", tag, int(size * 0.6 / 1400)
        for provider, number in dict.fromkeys((provider, number) for provider, number, _ in host.events):
            times = [
                int(self.end - days * DAY) for name, event, days in host.events if (name, event) == (provider, number)
            ]
            past = [at for at in times if at <= now]
            labels = (("provider", provider), ("event_id", number))
            yield "kmem_pool_failure_events_total", labels, len(past)
            if past:
                yield "kmem_pool_failure_last_event_timestamp_seconds", labels, max(past)
        for name, value in host.settings.items():
            yield "kmem_memory_management_setting", (("name", name),), value
        yield from self.exporter(now)

    def exporter(self, now):
        started = self.boot(now) + 95
        collectors = (
            ("meminfo", "slabinfo", "processes", "settings")
            if self.host.linux
            else ("performance", "pool_tags", "processes", "settings")
        )
        for collector in collectors:
            labels = (("collector", collector),)
            yield "kmem_scrape_collector_success", labels, 1
            took = 0.0004 * cycle(self.host.name + collector, now, 0.1, 0.02, 0.1)
            yield "kmem_scrape_collector_duration_seconds", labels, round(took, 7)
        yield "kmem_trend_history_seconds", (), max(0, min(HISTORY_SECONDS, now - (self.end - HISTORY_SECONDS)))
        yield "kmem_trend_subjects", (), 2300
        yield "kmem_trend_state_last_save_timestamp_seconds", (), now // 3600 * 3600
        yield "kmem_exporter_build_info", (("version", "demonstration"), ("revision", "none"), ("compiler", "none")), 1
        yield "process_start_time_seconds", (), started
        yield "process_cpu_seconds_total", (), round((now - started) * 0.0004, 3)
        resident = 18 * MIB * cycle(self.host.name + "rss", now, 0, 0, 0.01)
        if not self.host.linux:
            yield "process_handles", (), 118
        yield "process_resident_memory_bytes", (), int(resident) // 4096 * 4096

    def everything(self, now):
        yield from self.recorded(now)
        yield from self.rest(now)

    def leaders(self, now):
        """What the rules of the Fleet dashboard would have recorded: so few hosts all lead."""
        values = {(name, labels): value for name, labels, value in self.everything(now)}
        for (name, labels), value in values.items():
            if name == "kmem_pool_limit_bytes":
                yield "instance_pool:kmem_pool_used:leaders", labels, values["kmem_pool_bytes", labels] / value
            elif name == "kmem_commit_limit_bytes":
                yield "instance:kmem_commit_used:leaders", labels, values["kmem_commit_bytes", labels] / value
            elif name == "kmem_system_ptes_free":
                yield "instance:kmem_system_ptes_free:leaders", labels, value
            elif name == "kmem_pool_trend_bytes_per_second" and ("window", "7d") in labels:
                yield "instance_pool:kmem_pool_trend_a_day:leaders", labels, value * DAY
            elif name == "kmem_pool_tag_leak_suspect" and value == 1:
                yield "pool_tag:kmem_leak_suspect:confidence", labels, values["kmem_pool_tag_leak_confidence", labels]
                yield "pool_tag:kmem_leak_suspect:bytes", labels, values["kmem_pool_tag_bytes", labels]
                for (other, its), number in values.items():
                    if its[:2] == labels and other == "kmem_pool_tag_trend_bytes_per_second" and ("window", "7d") in its:
                        yield "pool_tag:kmem_leak_suspect:growth", labels, number * DAY
                    if its[:2] == labels and other == "kmem_pool_tag_info" and dict(its)["driver"]:
                        yield "pool_tag_driver:kmem_leak_suspect:info", (*labels, ("driver", dict(its)["driver"])), 1


COUNTERS = frozenset(
    {
        "kmem_pool_allocations_total",
        "kmem_pool_frees_total",
        "kmem_pool_lookaside_hits_total",
        "kmem_pool_tag_allocations_total",
        "kmem_pool_tag_frees_total",
        "kmem_pool_tag_evictions_total",
        "kmem_pool_failure_events_total",
        "process_cpu_seconds_total",
    }
)


def label_text(labels):
    return ",".join('%s="%s"' % (name, str(value).replace("\\", "\\\\").replace('"', '\\"')) for name, value in labels)


def number_text(value):
    return "+Inf" if value == math.inf else repr(value)


def page(run, now):
    families = {}
    for name, labels, value in run.everything(now):
        families.setdefault(name, []).append(f"{name}{{{label_text(labels)}}} {number_text(value)}\n")
    return "".join(
        f"# HELP {name} Demonstration data.\n# TYPE {name} {'counter' if name in COUNTERS else 'gauge'}\n"
        + "".join(lines)
        for name, lines in families.items()
    )


class Handler(http.server.BaseHTTPRequestHandler):
    runs: dict = {}

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        run = self.runs.get(urllib.parse.parse_qs(url.query).get("host", [""])[0])
        known = url.path == "/metrics" and run is not None
        body = page(run, int(time.time())).encode() if known else b"no such host\n"
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


def serve(address, history):
    """`history`: the file that stack.py wrote, with the history's end and the verdicts over it."""
    with open(history, encoding="utf-8") as file:
        known = json.load(file)
    Handler.runs = {name: Run(host, known["end"], known["verdicts"].get(name)) for name, host in HOSTS.items()}
    host, port = address.rsplit(":", 1)
    Server((host, int(port)), Handler).serve_forever()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    csv = commands.add_parser("csv")
    csv.add_argument("host", choices=HOSTS)
    csv.add_argument("--start", type=int, required=True)
    csv.add_argument("--end", type=int, required=True)
    served = commands.add_parser("serve")
    served.add_argument("--address", default="127.0.0.1:10060")
    served.add_argument("--history", required=True, help="demo.json of a prepared stack")
    arguments = parser.parse_args()
    if arguments.command == "csv":
        sys.stdout.writelines(Run(HOSTS[arguments.host], arguments.end).csv(arguments.start, arguments.end))
        return 0
    serve(arguments.address, arguments.history)
    return 0


if __name__ == "__main__":
    sys.exit(main())
