"""Fleet: which hosts need somebody, in the order of urgency."""

from panels import (
    ALERTS,
    BLUE,
    FAILURES,
    GREEN,
    HOST,
    RED,
    YELLOW,
    cell,
    column,
    dashboard,
    graph,
    job_and_instance,
    link,
    of,
    row,
    stat,
    steps,
    table,
    with_driver,
)

DAY = 86400
WEEK = 'window="7d"'
TO_HOST = link("This host", "kmem-host", instance=cell("Host"))
TO_LEAK = link("This tag", "kmem-leak", instance=cell("Host"), pool=cell("Pool"), tag=cell("Tag"))
TO_HOST_OF_SERIES = link("This host", "kmem-host", instance=HOST)
NONE_ABOVE = steps(GREEN, (1, RED))
LEFT = steps(RED, (3 * DAY, YELLOW), (14 * DAY, GREEN))
RUNS_OUT = of("kmem_exhaustion_seconds") + " < 365 * 86400"
SUSPECT = of("kmem_pool_tag_leak_suspect") + " == 1"


def suspects(metric, more="", then=""):
    return with_driver(f"{of(metric, more)}{then} and on (job, instance, pool, tag) {SUSPECT}")


def build():
    glance = (
        4,
        [
            (
                stat(
                    "Hosts scraped",
                    "Exporters that Prometheus asks, up or down.",
                    f"count({of('up')})",
                    "short",
                    empty="0",
                    color={"mode": "fixed", "fixedColor": BLUE},
                ),
                4,
            ),
            (
                stat(
                    "Down",
                    "Exporters that did not answer the last scrape.",
                    f"count({of('up')} == 0) or vector(0)",
                    "short",
                    NONE_ABOVE,
                ),
                4,
            ),
            (
                stat(
                    "Leak suspects",
                    "Tags whose growth the exporters call a leak, exported or not.",
                    f"sum({of('kmem_leak_suspects')})",
                    "short",
                    NONE_ABOVE,
                    empty="0",
                ),
                4,
            ),
            (
                stat(
                    "First to run out",
                    "Shortest time until a pool, the PTEs or commit reach their limit on a credible trend.",
                    f"min({RUNS_OUT})",
                    "s",
                    LEFT,
                    empty="none in sight",
                ),
                4,
            ),
            (
                stat(
                    "Alerts",
                    "Alerts of these rules that are firing now.",
                    'count(ALERTS{alertname=~"Kmem.+", alertstate="firing", job=~"$job", instance=~"$instance"}) or vector(0)',
                    "short",
                    NONE_ABOVE,
                ),
                4,
            ),
            (
                stat(
                    "Blind spots",
                    "Hosts on which a part of the kernel could not be read: Exporter dashboard.",
                    f"count(count by (job, instance) ({of('kmem_scrape_collector_success')} == 0)) or vector(0)",
                    "short",
                    steps(GREEN, (1, YELLOW)),
                ),
                4,
            ),
        ],
    )
    urgent = (
        9,
        [
            (
                table(
                    "Who runs out first",
                    "Time until the limit, on the trend that the exporter finds credible. Only where one leads there within a year.",
                    {"left": f"sort(min by (instance, resource) ({RUNS_OUT}))"},
                    {"instance": "Host", "resource": "Resource", "left": "Time left"},
                    "s",
                    LEFT,
                    "Nothing runs out within a year",
                    ("Time left", False),
                    overrides=[
                        column("Time left", ("custom.cellOptions", {"type": "color-text"})),
                        column("Host", ("links", [TO_HOST])),
                    ],
                ),
                8,
            ),
            (
                table(
                    "Leak suspects",
                    "Tags that the exporters call leaks, the fastest first. Confidence: 0.5 just met, 0.8 met twice over.",
                    {
                        "growth": suspects("kmem_pool_tag_trend_bytes_per_second", WEEK, " * 86400"),
                        "bytes": suspects("kmem_pool_tag_bytes"),
                        "sure": suspects("kmem_pool_tag_leak_confidence"),
                    },
                    {
                        "instance": "Host",
                        "pool": "Pool",
                        "tag": "Tag",
                        "driver": "Driver",
                        "growth": "Growth a day",
                        "bytes": "Size",
                        "sure": "Confidence",
                    },
                    "bytes",
                    None,
                    "No tag leaks",
                    ("Growth a day", True),
                    overrides=[
                        column("Confidence", ("unit", "percentunit"), ("decimals", 0)),
                        column("Host", ("links", [TO_HOST])),
                        column("Tag", ("links", [TO_LEAK])),
                    ],
                ),
                16,
            ),
        ],
    )
    pressure = [
        (
            8,
            [
                (
                    graph(
                        "Pool used of its limit",
                        "The ten fullest pools. Above 80 % Windows starts to trim the paged pool.",
                        [
                            (
                                f"topk(10, {of('kmem_pool_bytes')} / on (job, instance, pool) {of('kmem_pool_limit_bytes')})",
                                "{{instance}} {{pool}}",
                            )
                        ],
                        "percentunit",
                        steps(GREEN, (0.8, YELLOW), (0.9, RED)),
                        "no host tells a pool limit",
                        lines=True,
                        min=0,
                        links=[TO_HOST_OF_SERIES],
                    ),
                    12,
                ),
                (
                    graph(
                        "Free system PTEs",
                        "The ten lowest hosts. Below 12,000 a 32-bit Windows fails in odd ways.",
                        [(f"bottomk(10, {of('kmem_system_ptes_free')})", "{{instance}}")],
                        "short",
                        steps(RED, (12_000, GREEN)),
                        "no Windows host",
                        lines=True,
                        log=True,
                        links=[TO_HOST_OF_SERIES],
                    ),
                    12,
                ),
            ],
        ),
        (
            8,
            [
                (
                    graph(
                        "Commit used of its limit",
                        "The ten fullest. On Linux the limit binds only with vm.overcommit_memory=2, so more than 100 % can be fine.",
                        [(f"topk(10, {of('kmem_commit_bytes')} / {of('kmem_commit_limit_bytes')})", "{{instance}}")],
                        "percentunit",
                        steps(GREEN, (0.8, YELLOW), (0.9, RED)),
                        lines=True,
                        min=0,
                        links=[TO_HOST_OF_SERIES],
                    ),
                    12,
                ),
                (
                    graph(
                        "Growth of the pools, a day",
                        "Slope of the floor over a week, the ten steepest.",
                        [
                            (
                                f"topk(10, {of('kmem_pool_trend_bytes_per_second', WEEK)} * 86400)",
                                "{{instance}} {{pool}}",
                            )
                        ],
                        "bytes",
                        empty="less than a week of history",
                        min=0,
                        links=[TO_HOST_OF_SERIES],
                    ),
                    12,
                ),
            ],
        ),
    ]
    exporters = (
        9,
        [
            (
                table(
                    "Exporters",
                    "How they are: up, how far back their own history reaches, and since when it was last saved.",
                    {
                        "up": f"min by (instance) ({of('up')})",
                        "history": f"max by (instance) ({of('kmem_trend_history_seconds')})",
                        "saved": f"max by (instance) (time() - {of('kmem_trend_state_last_save_timestamp_seconds')})",
                        "uptime": f"max by (instance) (time() - {of('kmem_boot_time_seconds')})",
                        "failed": f"count by (instance) ({of('kmem_scrape_collector_success')} == 0)",
                    },
                    {
                        "instance": "Host",
                        "up": "Up",
                        "uptime": "Since boot",
                        "history": "History",
                        "saved": "Saved ago",
                        "failed": "Unreadable parts",
                    },
                    "s",
                    None,
                    "no exporter",
                    ("Host", False),
                    overrides=[
                        column(
                            "Up",
                            ("unit", "short"),
                            (
                                "mappings",
                                [
                                    {
                                        "type": "value",
                                        "options": {
                                            "0": {"text": "down", "color": RED},
                                            "1": {"text": "up", "color": GREEN},
                                        },
                                    }
                                ],
                            ),
                            ("custom.cellOptions", {"type": "color-text"}),
                        ),
                        column("Unreadable parts", ("unit", "short"), ("noValue", "-")),
                        column("Host", ("links", [TO_HOST])),
                    ],
                ),
                12,
            ),
            (
                graph(
                    "Time a scrape takes",
                    "As Prometheus sees it, the ten slowest.",
                    [(f"topk(10, {of('scrape_duration_seconds')})", "{{instance}}")],
                    "s",
                    min=0,
                    links=[TO_HOST_OF_SERIES],
                ),
                12,
            ),
        ],
    )
    rows = [row("At a glance"), glance, urgent, row("Pressure"), *pressure, row("Exporters"), exporters]
    return dashboard(
        "kmem-fleet",
        "Kernel memory / Fleet",
        "All hosts: who runs out first, what leaks, what is under pressure.",
        rows,
        job_and_instance(),
        [ALERTS, FAILURES],
    )
