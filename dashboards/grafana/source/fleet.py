"""Fleet: which hosts need somebody, in the order of urgency."""

from panels import (
    ALERTS,
    BLUE,
    GREEN,
    DAYS,
    RED,
    YELLOW,
    annotation,
    cell,
    column,
    dashboard,
    graph,
    job_and_instance,
    link,
    of,
    of_row,
    of_series,
    row,
    stat,
    steps,
    steps_near,
    steps_of_days,
    table,
    with_driver,
)

TO_HOST = link("This host", "kmem-host", of_row)
TO_LEAK = link("This tag", "kmem-leak", of_row, pool=cell("Pool"), tag=cell("Tag"))
TO_HOST_OF_SERIES = link("This host", "kmem-host", of_series)
NONE_ABOVE = steps(GREEN, (1, RED))
LEFT = steps_of_days()
RUNS_OUT = of("kmem_exhaustion_seconds") + " / 86400 < 365"
# By the alert: every host that ever failed keeps the time of it, and two points of each such series a pixel are more samples than
# Prometheus holds for a query (--query.max-samples).
FAILED = annotation(
    "Failed allocations",
    RED,
    'ALERTS{alertname="KmemPoolAllocationFailures", alertstate="firing", <<select>>}',
    "{{provider}} {{event_id}}",
    "<<who>>: the kernel could not allocate",
)
ROWS = 50
# The down first, then the young: who needs a look. One choice for every column.
SHOWN = f"bottomk({ROWS}, {of('instance:kmem_look_first:leaders')})"


def suspects(what):
    """Recorded (kmem-agent.rules.yml): of a fleet without suspects there is no series to read."""
    return with_driver(
        f"topk({ROWS}, {of('pool_tag:kmem_leak_suspect:' + what)})", info="pool_tag_driver:kmem_leak_suspect:info"
    )


def ten(expression, choose="topk"):
    """The ten that lead at the end of the time range, and not the leaders of every point of it."""
    return f"{expression} and {choose}(10, {expression} @ end())"


def exporters_of(expression):
    return f"{expression} and on (<<host>>) {SHOWN}"


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
                    DAYS,
                    LEFT,
                    decimals=1,
                    empty="none in sight",
                ),
                4,
            ),
            (
                stat(
                    "Alerts",
                    "Alerts of these rules that are firing now.",
                    'count(ALERTS{alertname=~"Kmem.+", alertstate="firing", <<select>>}) or vector(0)',
                    "short",
                    NONE_ABOVE,
                ),
                4,
            ),
            (
                stat(
                    "Blind spots",
                    "Hosts on which a part of the kernel could not be read: Exporter dashboard.",
                    f"count({of('instance:kmem_unreadable_parts:count')}) or vector(0)",
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
                    {"left": f"sort(bottomk({ROWS}, min by (<<host>>, resource) ({RUNS_OUT})))"},
                    {"instance": "Host", "resource": "Resource", "left": "Time left"},
                    DAYS,
                    LEFT,
                    "Nothing runs out within a year",
                    ("Time left", False),
                    overrides=[
                        column("Time left", ("decimals", 1), ("custom.cellOptions", {"type": "color-text"})),
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
                        "growth": suspects("growth"),
                        "bytes": suspects("bytes"),
                        "sure": suspects("confidence"),
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
                                ten(of("instance_pool:kmem_pool_used:leaders")),
                                "<<who>> {{pool}}",
                            )
                        ],
                        "percentunit",
                        steps_near("pool"),
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
                        [(ten(of("instance:kmem_system_ptes_free:leaders"), "bottomk"), "<<who>>")],
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
                        [(ten(of("instance:kmem_commit_used:leaders")), "<<who>>")],
                        "percentunit",
                        steps_near("commit"),
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
                                ten(of("instance_pool:kmem_pool_trend_a_day:leaders")),
                                "<<who>> {{pool}}",
                            )
                        ],
                        "bytes",
                        empty="less than a week of history",
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
                    f"The {ROWS} that are down or know least: how far back their own history reaches, and since when it was last saved.",
                    {
                        "up": exporters_of(f"min by (<<host>>) ({of('up')})"),
                        "history": exporters_of(f"max by (<<host>>) ({of('instance:kmem_look_first:history_seconds')}) / 86400"),
                        "saved": exporters_of(f"max by (<<host>>) (time() - {of('instance:kmem_look_first:save_timestamp_seconds')})"),
                        "uptime": exporters_of(f"max by (<<host>>) (time() - {of('instance:kmem_look_first:boot_timestamp_seconds')}) / 86400"),
                        "failed": exporters_of(f"max by (<<host>>) ({of('instance:kmem_unreadable_parts:count')})"),
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
                        column("Since boot", ("unit", DAYS), ("decimals", 1)),
                        column("History", ("unit", DAYS), ("decimals", 1)),
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
                    [(ten(of("instance:kmem_scrape_seconds:leaders")), "<<who>>")],
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
        [ALERTS, FAILED],
    )
