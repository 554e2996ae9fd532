"""Leak: one tag, as long as there is history."""

from panels import (
    DAYS,
    ALERTS,
    BLUE,
    BOOTS,
    FAILURES,
    GREEN,
    RED,
    YELLOW,
    column,
    dashboard,
    ends,
    graph,
    growth_an_hour,
    job_and_instance,
    of,
    row,
    stat,
    steps,
    steps_of_days,
    table,
    variable,
)

POOL = 'pool="$pool"'
TAG = 'pool="$pool", tag="$tag"'
EVERY_HOST = '<<select_peers>>, pool="$pool", tag="$tag"'


def build():
    chosen = [
        *job_and_instance("kmem_pool_tag_bytes", everyone=False),
        variable(
            "pool", "Pool", 'label_values(kmem_pool_tag_bytes{<<select>>}, pool)', multi=False
        ),
        variable(
            "tag",
            "Tag",
            'label_values(kmem_pool_tag_bytes{<<select>>, pool="$pool"}, tag)',
            multi=False,
        ),
    ]
    verdict = [
        {
            "type": "value",
            "options": {
                "0": {"text": "no leak", "color": GREEN, "index": 0},
                "1": {"text": "surge", "color": YELLOW, "index": 1},
                "2": {"text": "leak", "color": RED, "index": 2},
            },
        }
    ]
    growth = of("kmem_pool_tag_trend_bytes_per_second", TAG + ', window="%s"')
    glance = (
        4,
        [
            (
                stat(
                    "Verdict",
                    "What the exporter makes of 8 weeks of this tag. Surge: it grows now, beyond all before; load can do this, too.",
                    f"2 * ({of('kmem_pool_tag_leak_suspect', TAG)} == 1) or {of('kmem_pool_tag_surge_suspect', TAG)} "
                    f"or {of('kmem_pool_tag_leak_suspect', TAG)} "
                    f"or 0 * max without (window) ({growth % '7d'})",
                    "none",
                    steps(GREEN, (1, YELLOW), (2, RED)),
                    mappings=verdict,
                ),
                4,
            ),
            (
                stat(
                    "Confidence",
                    "How strongly the weakest condition of a leak holds: 50 % just met, 80 % twice over.",
                    of("kmem_pool_tag_leak_confidence", TAG),
                    "percentunit",
                    steps(GREEN, (0.5, YELLOW), (0.8, RED)),
                    decimals=0,
                ),
                4,
            ),
            (
                stat(
                    "Size",
                    "Bytes in use now.",
                    of("kmem_pool_tag_bytes", TAG),
                    "bytes",
                    color={"mode": "fixed", "fixedColor": BLUE},
                ),
                4,
            ),
            (
                stat(
                    "Growth a day",
                    "Slope of the floor over four weeks, which is told of suspects, else over one.",
                    f"86400 * (max without (window) ({growth % '28d'}) or max without (window) ({growth % '7d'}))",
                    "bytes",
                    color={"mode": "fixed", "fixedColor": BLUE},
                    empty="less than 7 days of history",
                ),
                4,
            ),
            (
                stat(
                    "Pool lasts",
                    "Until the whole pool reaches its limit on a credible trend.",
                    of("kmem_exhaustion_seconds", 'resource="$pool"') + " / 86400 < 365",
                    DAYS,
                    steps_of_days(),
                    "no end in sight",
                    decimals=1,
                ),
                4,
            ),
            (
                stat(
                    "Share of the pool",
                    "Of everything in this pool.",
                    f"{of('kmem_pool_tag_bytes', TAG)} / on (<<host>>, pool) {of('kmem_pool_bytes', POOL)}",
                    "percentunit",
                    steps(GREEN, (0.25, YELLOW), (0.5, RED)),
                    decimals=0,
                ),
                4,
            ),
        ],
    )
    rows = [
        row("$tag in $pool"),
        glance,
        (
            10,
            [
                (
                    graph(
                        "Size",
                        "A leak lifts the floor of every day; load and caches come back to it.",
                        [
                            (of("kmem_pool_tag_bytes", TAG), "<<who>>"),
                            (f"min_over_time({of('kmem_pool_tag_bytes', TAG)}[1d])", "<<who>> floor of a day"),
                            (f"min_over_time({of('kmem_pool_tag_bytes', TAG)}[7d])", "<<who>> floor of a week"),
                            (of("kmem_pool_tag_big_bytes", TAG), "<<who>> in large allocations"),
                        ],
                        "bytes",
                    ),
                    16,
                ),
                (
                    table(
                        "Who allocates it",
                        "Candidates, by source. image_scan: the tag is in that driver's file.",
                        {"value": of("kmem_pool_tag_info", TAG)},
                        {"instance": "Host", "driver": "Driver", "description": "Description", "source": "Source"},
                        "short",
                        None,
                        "No driver is known: `kmem_exporter attribute --tag TAG` looks for it",
                        ("Host", False),
                    ),
                    8,
                ),
            ],
        ),
        (
            9,
            [
                (
                    graph(
                        "Growth a day",
                        "Slope of the floor over a day, a week, four weeks. A leak: all three, about the same.",
                        [
                            (
                                of("kmem_pool_tag_trend_bytes_per_second", TAG + ', window=~"1d|7d|28d"') + " * 86400",
                                "<<who>> over {{window}}",
                            )
                        ],
                        "bytes",
                        empty="less than a day of history",
                    ),
                    12,
                ),
                (
                    graph(
                        "Confidence",
                        "Above 50 % it is called a leak once it has lasted.",
                        [(of("kmem_pool_tag_leak_confidence", TAG), "<<who>>")],
                        "percentunit",
                        steps(GREEN, (0.5, YELLOW), (0.8, RED)),
                        lines=True,
                        min=0,
                        max=1,
                    ),
                    12,
                ),
            ],
        ),
        (
            9,
            [
                (
                    graph(
                        "Live allocations",
                        "Allocated and not freed.",
                        [(of("kmem_pool_tag_outstanding_allocations", TAG), "<<who>>")],
                        "short",
                    ),
                    8,
                ),
                (
                    graph(
                        "Bytes an allocation",
                        "One size for weeks is one kind of thing; a change is another use of the tag.",
                        [
                            (
                                f"{of('kmem_pool_tag_bytes', TAG)} / ({of('kmem_pool_tag_outstanding_allocations', TAG)} > 0)",
                                "<<who>>",
                            )
                        ],
                        "bytes",
                        empty="nothing is allocated",
                        min=0,
                    ),
                    8,
                ),
                (
                    graph(
                        "Allocations and frees a second",
                        "A leak may hide in a busy tag: it is the small difference.",
                        [
                            (
                                f"rate({of('kmem_pool_tag_allocations_total', TAG)}[$__rate_interval])",
                                "<<who>> allocations",
                            ),
                            (f"rate({of('kmem_pool_tag_frees_total', TAG)}[$__rate_interval])", "<<who>> frees"),
                        ],
                        "ops",
                        empty="told of suspects and tags.include, or with metrics.profile full, where the system counts them",
                        min=0,
                    ),
                    8,
                ),
            ],
        ),
        row("Over hours"),
        (
            9,
            [
                (
                    graph(
                        "Size, the last day",
                        "A surge: steady growth beyond all before, not a step and not what the same hours of every day do.",
                        [(of("kmem_pool_tag_bytes", TAG), "<<who>>")],
                        "bytes",
                        timeFrom="1d",
                    ),
                    8,
                ),
                (
                    growth_an_hour(
                        "Slope of the floor over 5 minutes, 1 hour and 6 hours, told while the tag surges.",
                        "kmem_pool_tag_trend_bytes_per_second",
                        TAG,
                        "<<who>>",
                        empty="it does not surge",
                        timeFrom="1d",
                    ),
                    8,
                ),
                (ends('="$pool"'), 8),
            ],
        ),
        row("In its surroundings"),
        (
            9,
            [
                (
                    graph(
                        "The same tag on other hosts",
                        "The twenty largest and the median. One host alone points to that host's driver.",
                        [
                            (f"topk(20, kmem_pool_tag_bytes{{{EVERY_HOST}}})", "<<who>>"),
                            (f"quantile(0.5, kmem_pool_tag_bytes{{{EVERY_HOST}}})", "median of all hosts"),
                        ],
                        "bytes",
                        min=0,
                        overrides=[
                            column("median of all hosts", ("custom.lineStyle", {"fill": "dash", "dash": [10, 10]}))
                        ],
                    ),
                    8,
                ),
                (
                    graph(
                        "Its pool",
                        "The pool around it, its limit and where Windows starts to trim.",
                        [
                            (of("kmem_pool_bytes", POOL), "<<who>> pool"),
                            (of("kmem_pool_tag_bytes", TAG), "<<who>> this tag"),
                            (of("kmem_pool_trim_threshold_bytes", POOL), "<<who>> trim threshold"),
                            (
                                of("kmem_pool_limit_bytes", POOL) + f" < 20 * {of('kmem_pool_bytes', POOL)}",
                                "<<who>> limit",
                            ),
                        ],
                        "bytes",
                        min=0,
                    ),
                    8,
                ),
                (
                    graph(
                        "Time until the pool is exhausted",
                        "On the credible trend; falls by a day each day when the leak is steady.",
                        [(of("kmem_exhaustion_seconds", 'resource="$pool"') + " / 86400 < 365", "<<who>>")],
                        DAYS,
                        steps_of_days(),
                        "no end in sight",
                        lines=True,
                        min=0,
                    ),
                    8,
                ),
            ],
        ),
    ]
    return dashboard(
        "kmem-leak",
        "Kernel memory / Leak",
        "One tag over hours and weeks: floor, growth, allocations, driver, other hosts.",
        rows,
        chosen,
        [BOOTS, FAILURES, ALERTS],
        "now-56d",
    )
