"""The result as a table."""

ROWS = [
    ("requests to PHP", "requests", "{:,}"),
    ("PHP CPU seconds", "php_cpu_seconds", "{:.1f}"),
    ("busy php-fpm children, peak", "busy_children_max", "{}"),
    ("answer to WhatsApp, p50 ms", "answer_ms_p50", "{:,.1f}"),
    ("answer to WhatsApp, p99 ms", "answer_ms_p99", "{:,.1f}"),
    ("MariaDB CPU seconds", "database_cpu_seconds", "{:.1f}"),
    ("nginx CPU seconds", "nginx_cpu_seconds", "{:.1f}"),
    ("ingest and workers CPU seconds", "pipeline_cpu_seconds", "{:.1f}"),
]


def less(base, value):
    """How much less than the first run, where that is the question."""
    return f" ({value / base - 1:+.0%})" if base else ""


def text(result):
    runs = result["runs"]
    base = next(iter(runs.values()))
    lines = [
        f"{result['date']}, {result['machine']}, PHP {result['php']}, commit {result['commit']}; "
        f"`{result['command']}`: {result['evening']['messages_sent']:,} messages sent, "
        f"{result['evening']['webhooks']:,} webhooks, {result['evening']['replies']:,} of them messages.",
        "",
        "| | " + " | ".join(runs) + " |",
        "|---|" + "---:|" * len(runs),
    ]
    for title, key, form in ROWS:
        cells = []
        for run in runs.values():
            # A backlog is taken in flat out: its answers are those of an overload, not of an evening.
            if key.startswith("answer") and "drain_seconds" in run:
                cells.append("")
                continue
            cell = form.format(run[key])
            if key in ("requests", "php_cpu_seconds", "database_cpu_seconds") and run is not base:
                cell += less(base[key], run[key])
            cells.append(cell)
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
