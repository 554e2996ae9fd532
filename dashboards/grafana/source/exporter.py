"""Exporter: is what the other dashboards show whole and fresh?"""

from panels import (
    BLUE,
    DAYS,
    GREEN,
    RED,
    SELECT,
    YELLOW,
    annotation,
    dashboard,
    graph,
    job_and_instance,
    of,
    row,
    stat,
    steps,
    table,
    variable,
)

LEADERS = 20
# Whose points the graphs read: of each of these the first twenty, at the end of the time range. The points of every host of 10,000
# are more samples than Prometheus holds for a query (--query.max-samples). By names: a host of another site that has one is read, too.
LEADING = [
    of("scrape_duration_seconds"),
    of("kmem_scrape_collector_duration_seconds"),
    of("kmem_scrape_collector_skipped_rows") + " > 0",
    of("kmem_pool_tags"),
    of("kmem_pool_tag_evictions_total") + " > 0",
    of("kmem_trend_state_failures_total") + " > 0",
    of("kmem_exporter_guard_rejections_total") + " > 0",
    f"rate({of('kmem_exporter_http_requests_total')}[15m])",
    f"{of('process_cpu_seconds_total')} / (time() - {of('process_start_time_seconds')})",
    of("process_resident_memory_bytes"),
    of("process_open_fds"),
    of("process_handles"),
]


def shown():
    leading = " or ".join(f"topk({LEADERS}, sum by (<<host>>) ({expression}))" for expression in LEADING)
    return {
        **variable("shown", "Shown", f"query_result({leading})"),
        "regex": '/instance="([^"]+)"/',
        "allValue": None,  # all that the query gives
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "hide": 2,
    }


def of_shown(metric):
    return of(metric, select='instance=~"$shown", ' + SELECT)


STARTS = annotation(
    "Exporter starts",
    BLUE,
    "(time() - " + of_shown("process_start_time_seconds") + ") * 1000 < 600000 + 2 * $__interval_ms",
    "Exporter started",
    "<<who>>",
)
BUCKET = of_shown("kmem_exporter_http_request_duration_seconds_bucket")


def build():
    glance = (
        4,
        [
            (stat("Up", "Exporters that answered the last scrape.", f"sum({of('up')})", "short", empty="0"), 4),
            (
                stat(
                    "Unreadable parts",
                    "Parts of the kernel that exist but could not be read.",
                    f"count({of('kmem_scrape_collector_success')} == 0) or vector(0)",
                    "short",
                    steps(GREEN, (1, RED)),
                ),
                4,
            ),
            (
                stat(
                    "Shortest history",
                    "How far back the youngest exporter's own history reaches. A leak needs weeks.",
                    f"min({of('kmem_trend_history_seconds')}) / 86400",
                    DAYS,
                    steps(YELLOW, (21, GREEN)),
                    decimals=1,
                ),
                4,
            ),
            (
                stat(
                    "Oldest save",
                    "Time since the history was last written to storage.path, the worst host.",
                    f"max(time() - {of('kmem_trend_state_last_save_timestamp_seconds')})",
                    "s",
                    steps(GREEN, (2 * 86400, RED)),
                    "not kept: set storage.path",
                ),
                4,
            ),
            (
                stat(
                    "Series a host",
                    "The most series that one scrape returned.",
                    f"max({of('scrape_samples_scraped')})",
                    "short",
                    steps(GREEN, (1000, YELLOW)),
                ),
                4,
            ),
            (
                stat(
                    "Bad configuration",
                    "Exporters that refused their configuration when they last read it.",
                    f"count({of('kmem_exporter_config_last_reload_successful')} == 0) or vector(0)",
                    "short",
                    steps(GREEN, (1, RED)),
                ),
                4,
            ),
        ],
    )
    rows = [
        row("At a glance"),
        glance,
        (
            6,
            [
                (
                    table(
                        "Versions",
                        "What runs where.",
                        {"value": of("kmem_exporter_build_info")},
                        {"instance": "Host", "version": "Version", "revision": "Revision", "compiler": "Compiler"},
                        "short",
                        None,
                        "no exporter",
                        ("Host", False),
                    ),
                    12,
                ),
                (
                    table(
                        "What cannot be read",
                        "1 failing part a row; the log says why once.",
                        {"value": of("kmem_scrape_collector_success") + " == 0"},
                        {"instance": "Host", "collector": "Part", "value": "Success"},
                        "short",
                        None,
                        "Everything is read",
                        ("Host", False),
                    ),
                    12,
                ),
            ],
        ),
        row("Reading the kernel"),
        (
            8,
            [
                (
                    graph(
                        "Time to read each part",
                        "Reading and parsing, the ten slowest.",
                        [(f"topk(10, {of_shown('kmem_scrape_collector_duration_seconds')})", "<<who>> {{collector}}")],
                        "s",
                        min=0,
                    ),
                    8,
                ),
                (
                    graph(
                        "Refused rows",
                        "Malformed, or beyond a bound; more than none is worth a look into the log.",
                        [(of_shown("kmem_scrape_collector_skipped_rows") + " > 0", "<<who>> {{collector}}")],
                        "short",
                        empty="none were refused",
                        min=0,
                    ),
                    8,
                ),
                (
                    graph(
                        "Tags, live and exported",
                        "What the kernel reports and what is exported of it.",
                        [
                            (f"topk({LEADERS}, sum by (<<host>>) ({of_shown('kmem_pool_tags')}))", "<<who>> live"),
                            (f"topk({LEADERS}, count by (<<host>>) ({of_shown('kmem_pool_tag_bytes')}))", "<<who>> exported"),
                        ],
                        "short",
                        min=0,
                    ),
                    8,
                ),
            ],
        ),
        row("Being scraped"),
        (
            8,
            [
                (
                    graph(
                        "Time a scrape takes",
                        "As Prometheus sees it.",
                        [(f"topk({LEADERS}, {of_shown('scrape_duration_seconds')})", "<<who>>")],
                        "s",
                        min=0,
                    ),
                    8,
                ),
                (
                    graph(
                        "Requests a second",
                        "By handler and answer.",
                        [
                            (
                                f"topk({LEADERS}, sum by (<<host>>, handler, code) (rate({of_shown('kmem_exporter_http_requests_total')}[$__rate_interval])))",
                                "<<who>> {{handler}} {{code}}",
                            )
                        ],
                        "reqps",
                        min=0,
                    ),
                    8,
                ),
                (
                    graph(
                        "Time to answer, 99 % of requests",
                        "From a complete request to its answer, measured by the exporter.",
                        [
                            (
                                f"topk({LEADERS}, histogram_quantile(0.99, sum by (<<host>>, le) (rate({BUCKET}[$__rate_interval]))))",
                                "<<who>>",
                            )
                        ],
                        "s",
                        min=0,
                    ),
                    8,
                ),
            ],
        ),
        (
            5,
            [
                (
                    graph(
                        "Refused connections",
                        "Closed before a handler saw a request, by reason.",
                        [
                            (
                                f"rate({of_shown('kmem_exporter_guard_rejections_total')}[$__rate_interval]) > 0",
                                "<<who>> {{reason}}",
                            )
                        ],
                        "ops",
                        empty="none were refused",
                        min=0,
                    ),
                    8,
                ),
                (
                    graph(
                        "Tags pushed out",
                        "By the cap tags.max_exported or the bound of metrics.profile; series that come and go hide leaks.",
                        [(f"increase({of_shown('kmem_pool_tag_evictions_total')}[1d]) > 0", "<<who>> {{pool}}")],
                        "short",
                        empty="none in a day",
                        min=0,
                    ),
                    8,
                ),
                (
                    graph(
                        "Trouble with kept history",
                        "Times that it could not be written or used, a day.",
                        [(f"increase({of_shown('kmem_trend_state_failures_total')}[1d]) > 0", "<<who>> {{reason}}")],
                        "short",
                        empty="none in a day",
                        min=0,
                    ),
                    8,
                ),
            ],
        ),
        row("What it costs"),
        (
            8,
            [
                (
                    graph(
                        "CPU",
                        "Of one core.",
                        [(f"topk({LEADERS}, rate({of_shown('process_cpu_seconds_total')}[$__rate_interval]))", "<<who>>")],
                        "percentunit",
                        min=0,
                    ),
                    8,
                ),
                (
                    graph(
                        "Resident memory",
                        "Flat, once every tag has its history.",
                        [(f"topk({LEADERS}, {of_shown('process_resident_memory_bytes')})", "<<who>>")],
                        "bytes",
                        min=0,
                    ),
                    8,
                ),
                (
                    graph(
                        "Handles and descriptors",
                        "Of the exporters themselves, the twenty highest.",
                        [
                            (f"topk({LEADERS}, {of_shown('process_open_fds')})", "<<who>> descriptors"),
                            (f"topk({LEADERS}, {of_shown('process_handles')})", "<<who>> handles"),
                        ],
                        "short",
                        min=0,
                    ),
                    8,
                ),
            ],
        ),
    ]
    return dashboard(
        "kmem-exporter",
        "Kernel memory / Exporter",
        "The exporters themselves: whole, fresh, cheap? Of many, graphs show those that lead in what one of them is about.",
        rows,
        [*job_and_instance(), shown()],
        [STARTS],
        "now-7d",
    )
