"""Runs scenarios, prints the table, and writes it to results, docs/BENCHMARKS.md and README.md."""

import sys

from . import report, scenarios


def main(names):
    known = {scenario.__name__.replace("_", "-"): scenario for scenario in scenarios.ALL}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"bench: unknown {' '.join(unknown)}; there are {' '.join(known)}")
    rows = []
    failed = False
    for name, scenario in known.items():
        if names and name not in names:
            continue
        try:
            made = scenario()
        except Exception as error:  # One scenario's trouble must not cost the others.
            made = [report.Row(name, f"failed: {error}", "", None)]
            failed = True
        for row in made:
            print(row.line(), flush=True)
        rows += made
    scenarios.clean()
    print()
    print(report.table(rows))
    if not names:
        print(f"written to {report.write(rows)}, docs/BENCHMARKS.md and README.md")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
