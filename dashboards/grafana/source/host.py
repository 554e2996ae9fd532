"""Host: one kernel's memory over weeks."""

from panels import (
    ALERTS,
    BLUE,
    BOOTS,
    FAILURES,
    GREEN,
    RED,
    DAYS,
    YELLOW,
    cell,
    column,
    columns_like,
    dashboard,
    ends,
    graph,
    growth_an_hour,
    job_and_instance,
    link,
    of,
    of_row,
    row,
    stat,
    steps,
    steps_of_days,
    table,
    variable,
    with_driver,
)

HOUR = 3600
TO_LEAK = link("This tag", "kmem-leak", of_row, pool=cell("Pool"), tag=cell("Tag"))
POOL = 'pool=~"$pool"'


def tops(count, metric, more="", then=""):
    chosen = f"{POOL}, {more}" if more else POOL
    return with_driver(f"topk by (<<host>>) ({count}, {of(metric, chosen)}{then})", POOL)


def tag_table(title, description, value, shown, unit):
    return table(
        title,
        description,
        {"value": value},
        {"instance": "Host", "pool": "Pool", "tag": "Tag", "driver": "Driver", "value": shown},
        unit,
        None,
        "no tags here",
        (shown, True),
        overrides=[column("Tag", ("links", [TO_LEAK]))],
    )


def build():
    pool = variable("pool", "Pool", 'label_values(kmem_pool_bytes{<<select>>}, pool)')
    glance = (
        4,
        [
            (
                stat(
                    "Since boot",
                    "How long this kernel has been running. A leak is cleared by a boot, not cured.",
                    f"(time() - {of('kmem_boot_time_seconds')}) / 86400",
                    DAYS,
                    decimals=1,
                    color={"mode": "fixed", "fixedColor": BLUE},
                ),
                3,
            ),
            (
                stat(
                    "First to run out",
                    "Shortest time until a pool, the PTEs or commit reach their limit on a credible trend.",
                    f"min by (<<host>>) ({of('kmem_exhaustion_seconds')} / 86400 < 365)",
                    DAYS,
                    steps_of_days(),
                    "none in sight",
                    decimals=1,
                ),
                4,
            ),
            (
                stat(
                    "Leak suspects",
                    "Tags whose growth the exporter calls a leak, exported or not.",
                    f"sum by (<<host>>) ({of('kmem_leak_suspects')})",
                    "short",
                    steps(GREEN, (1, RED)),
                    "0",
                ),
                3,
            ),
            (
                stat(
                    "Surge suspects",
                    "Tags that grow now, beyond all that they held before, exported or not. Load can do this, too.",
                    f"sum by (<<host>>) ({of('kmem_surge_suspects')})",
                    "short",
                    steps(GREEN, (1, YELLOW)),
                    "0",
                ),
                3,
            ),
            (
                stat(
                    "Failed allocations",
                    "Events in the chosen time in which the kernel said that it could not allocate.",
                    f"round(sum by (<<host>>) (increase({of('kmem_pool_failure_events_total')}[$__range])))",
                    "short",
                    steps(GREEN, (1, RED)),
                    "none",
                ),
                3,
            ),
            (stat("Available", "Memory to be had without paging.", of("kmem_available_bytes"), "bytes"), 4),
            (
                stat(
                    "Installed",
                    "Memory that the kernel manages.",
                    of("kmem_physical_memory_bytes"),
                    "bytes",
                    color={"mode": "fixed", "fixedColor": BLUE},
                ),
                4,
            ),
        ],
    )
    pools = (
        9,
        [
            (
                graph(
                    "$pool",
                    "Size, floor of each day, limit, and where Windows starts to trim. A leak lifts the floor.",
                    [
                        (of("kmem_pool_bytes", POOL), "size <<who>>"),
                        (f"min_over_time({of('kmem_pool_bytes', POOL)}[1d])", "floor of a day <<who>>"),
                        (of("kmem_pool_resident_bytes", POOL), "resident <<who>>"),
                        (of("kmem_pool_trim_threshold_bytes", POOL), "trim threshold <<who>>"),
                        (of("kmem_pool_limit_bytes", POOL) + f" < 20 * {of('kmem_pool_bytes', POOL)}", "limit <<who>>"),
                    ],
                    "bytes",
                    min=0,
                    repeat="pool",
                    repeatDirection="h",
                    maxPerRow=2,
                    overrides=[
                        columns_like("floor of a day", ("color", {"mode": "fixed", "fixedColor": BLUE})),
                        columns_like("resident", ("color", {"mode": "fixed", "fixedColor": "purple"})),
                        columns_like(
                            "limit",
                            ("color", {"mode": "fixed", "fixedColor": RED}),
                            ("custom.lineStyle", {"fill": "dash", "dash": [10, 10]}),
                        ),
                        columns_like(
                            "trim threshold",
                            ("color", {"mode": "fixed", "fixedColor": YELLOW}),
                            ("custom.lineStyle", {"fill": "dash", "dash": [10, 10]}),
                        ),
                    ],
                ),
                12,
            )
        ],
    )
    surging = f"on (<<host>>, pool, tag) {of('kmem_pool_tag_surge_suspect', POOL)} == 1"
    pace = "max by (<<host>>, pool, tag) (%s)" % of("kmem_pool_tag_trend_bytes_per_second", POOL + ', window="%s"')
    hours = [
        (
            9,
            [
                (
                    growth_an_hour(
                        "Slopes of the floor over 5 minutes, 1 hour and 6 hours. What goes on has all three about the same.",
                        "kmem_pool_trend_bytes_per_second",
                        POOL,
                        "{{pool}} <<who>>",
                        empty="less than 5 minutes of history",
                    ),
                    12,
                ),
                (
                    graph(
                        "Room to each bound",
                        "What a pool can still take: to its own limit, the commit limit, available memory. The smallest ends it.",
                        [(of("kmem_pool_headroom_bytes", POOL), "{{pool}}: {{bound}} <<who>>")],
                        "bytes",
                        min=0,
                    ),
                    12,
                ),
            ],
        ),
        (
            8,
            [
                (
                    table(
                        "Surging tags",
                        "What grows now, beyond all that it held before. Load can do this, too.",
                        {
                            "growth": with_driver(
                                f"({pace % '1h'} or {pace % '6h'} or {pace % '5m'}) * {HOUR} and {surging}", POOL
                            ),
                            "size": with_driver(f"{of('kmem_pool_tag_bytes', POOL)} and {surging}", POOL),
                        },
                        {
                            "instance": "Host",
                            "pool": "Pool",
                            "tag": "Tag",
                            "driver": "Driver",
                            "growth": "Growth an hour",
                            "size": "Size",
                        },
                        "bytes",
                        None,
                        "No tag surges",
                        ("Growth an hour", True),
                        overrides=[column("Tag", ("links", [TO_LEAK]))],
                    ),
                    12,
                ),
                (ends('=~"$pool"'), 12),
            ],
        ),
    ]
    tables = (
        10,
        [
            (tag_table("Top tags by size", "What holds most.", tops(15, "kmem_pool_tag_bytes"), "Size", "bytes"), 8),
            (
                tag_table(
                    "Top tags by live allocations",
                    "Small things in great numbers.",
                    tops(15, "kmem_pool_tag_outstanding_allocations"),
                    "Live",
                    "short",
                ),
                8,
            ),
            (
                tag_table(
                    "Top tags by growth, a day",
                    "Slope of the floor over a week. This is where a slow leak shows first.",
                    tops(15, "kmem_pool_tag_trend_bytes_per_second", 'window="7d"', " * 86400 > 0"),
                    "Growth a day",
                    "bytes",
                ),
                8,
            ),
        ],
    )
    tags = (
        9,
        [
            (
                graph(
                    "Tags",
                    "The ten largest and the sum of those that are not exported.",
                    [
                        (f"topk(10, {of('kmem_pool_tag_bytes', POOL)})", "{{pool}} {{tag}} <<who>>"),
                        (of("kmem_pool_other_bytes", POOL), "{{pool}} (others) <<who>>"),
                    ],
                    "bytes",
                    min=0,
                ),
                12,
            ),
            (
                graph(
                    "Allocations a second",
                    "How busy the pools are; lookaside hits did not need the pool itself.",
                    [
                        (f"rate({of('kmem_pool_allocations_total', POOL)}[$__rate_interval])", "{{pool}} allocations <<who>>"),
                        (f"rate({of('kmem_pool_frees_total', POOL)}[$__rate_interval])", "{{pool}} frees <<who>>"),
                        (
                            f"rate({of('kmem_pool_lookaside_hits_total', POOL)}[$__rate_interval])",
                            "{{pool}} lookaside hits <<who>>",
                        ),
                    ],
                    "ops",
                    empty="Windows only",
                    min=0,
                ),
                12,
            ),
        ],
    )
    rest = [
        (
            8,
            [
                (
                    graph(
                        "Free system page table entries",
                        "What is left, and the most seen since boot. 32-bit: keep 12,000.",
                        [
                            (of("kmem_system_ptes_free"), "free <<who>>"),
                            (of("kmem_system_ptes_free_boot_max"), "most since boot <<who>>"),
                        ],
                        "short",
                        steps(RED, (12_000, GREEN)),
                        "Windows only",
                        lines=True,
                        min=0,
                    ),
                    8,
                ),
                (
                    graph(
                        "Commit",
                        "Promised memory against what can be promised.",
                        [
                            (of("kmem_commit_bytes"), "committed <<who>>"),
                            (of("kmem_commit_peak_bytes"), "peak since boot <<who>>"),
                            (of("kmem_commit_limit_bytes"), "limit <<who>>"),
                        ],
                        "bytes",
                        min=0,
                    ),
                    8,
                ),
                (
                    graph(
                        "Other kernel memory",
                        "File cache, stacks of kernel threads, page tables; Windows: what no counter names.",
                        [
                            (of("kmem_file_cache_bytes"), "file cache <<who>>"),
                            (of("kmem_kernel_stack_bytes"), "kernel stacks <<who>>"),
                            (of("kmem_page_table_bytes"), "page tables <<who>>"),
                            (of("kmem_unaccounted_bytes"), "unaccounted <<who>>"),
                        ],
                        "bytes",
                        min=0,
                    ),
                    8,
                ),
            ],
        ),
        (
            8,
            [
                (
                    graph(
                        "Time until exhaustion",
                        "On the credible trend; no line where none leads to the limit within a year.",
                        [(of("kmem_exhaustion_seconds") + " / 86400 < 365", "{{resource}} <<who>>")],
                        DAYS,
                        steps_of_days(),
                        "nothing runs out within a year",
                        min=0,
                    ),
                    6,
                ),
                (
                    graph(
                        "Handles",
                        "Processes with most handles (Linux: descriptors). A line that only rises is a handle leak.",
                        [(f"topk(10, {of('kmem_process_handles')})", "{{process}} {{pid}} <<who>>")],
                        "short",
                        min=0,
                    ),
                    6,
                ),
                (
                    graph(
                        "Pool quota of processes",
                        "Charged to processes; what drivers allocate is not in it.",
                        [(f"topk(10, {of('kmem_process_pool_bytes', POOL)})", "{{process}} {{pid}} {{pool}} <<who>>")],
                        "bytes",
                        empty="Windows only",
                        min=0,
                    ),
                    6,
                ),
                (
                    graph(
                        "Pools of sessions",
                        "Each terminal services session has its own; what is in them is in no other pool's tags.",
                        [
                            (of("kmem_session_pool_bytes", POOL), "session {{session}} {{pool}} <<who>>"),
                            (
                                f"topk(5, {of('kmem_session_pool_tag_bytes', POOL)})",
                                "session {{session}} {{pool}} {{tag}} <<who>>",
                            ),
                        ],
                        "bytes",
                        empty="no session with a pool of its own",
                        min=0,
                    ),
                    6,
                ),
            ],
        ),
        (
            7,
            [
                (
                    table(
                        "Failed allocations",
                        "Events of the system log, with the last of each.",
                        {"last": of("kmem_pool_failure_last_event_timestamp_seconds") + " * 1000"},
                        {"instance": "Host", "provider": "Provider", "event_id": "Event", "last": "Last"},
                        "dateTimeAsIso",
                        None,
                        "The kernel never said that it could not allocate",
                        ("Last", True),
                    ),
                    8,
                ),
                (
                    table(
                        "Where the limits come from",
                        "kernel: read from it. registry: set there. estimate: by the version's table.",
                        {
                            "limit": f"{of('kmem_pool_limit_bytes')} * on (<<host>>, pool) group_right () {of('kmem_pool_limit_info')}"
                        },
                        {"instance": "Host", "pool": "Pool", "source": "Source", "rule": "Rule", "limit": "Limit"},
                        "bytes",
                        None,
                        "No limit is known",
                        ("Pool", False),
                    ),
                    8,
                ),
                (
                    table(
                        "Memory management settings",
                        "In their own units. Windows: registry. Linux: vm.*",
                        {"value": of("kmem_memory_management_setting")},
                        {"instance": "Host", "name": "Setting", "value": "Value"},
                        "none",
                        None,
                        "None is set",
                        ("Setting", False),
                    ),
                    8,
                ),
            ],
        ),
    ]
    rows = [
        row("At a glance"),
        glance,
        row("Pools"),
        pools,
        row("The last hours"),
        *hours,
        row("Tags"),
        tables,
        tags,
        row("The rest of the kernel"),
        *rest,
    ]
    return dashboard(
        "kmem-host",
        "Kernel memory / Host",
        "One host over hours and weeks: pools against what ends them, tags, PTEs, commit.",
        rows,
        [*job_and_instance(everyone=False), pool],
        [BOOTS, FAILURES, ALERTS],
    )
