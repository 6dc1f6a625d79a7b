"""Checks what is written for Athena without Athena, and prints what it found as JSON.

    athena_check.py ATHENA_TABLES.sql DUCKDB_TABLES.sql QUERY.sql...

Every statement must be read by sqlglot's Athena dialect (Hive for tables, Trino for the rest). Then
Athena's views are translated and made anew in DuckDB, over the table of DuckDB's own SQL: they must
hold the same rows as DuckDB's views do. And the table's columns must be the same in both.
"""

import json
import sys

import duckdb
import sqlglot
from sqlglot import exp

VIEWS = ["status_line", "status", "message"]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def rows(connection):
    return {
        view: sorted(map(repr, connection.execute(f"select * from {view}").fetchall()))
        for view in VIEWS
    }


def translated(view):
    """Athena's view in DuckDB's words: two things that sqlglot does not translate."""
    for call in list(view.find_all(exp.Anonymous)):
        if call.name.lower() == "element_at":
            call.set("this", "list_extract")
    for column in list(view.find_all(exp.Alias)):
        if column.this.name == "$path":
            column.pop()
    return view.sql(dialect="duckdb")


def main():
    athena_path, duckdb_path, *queries = sys.argv[1:]
    pieces = [piece for piece in read(athena_path).split(";\n") if piece.strip()]
    athena = [sqlglot.parse_one(piece, read="athena") for piece in pieces]
    for query in queries:
        sqlglot.parse_one(read(query), read="athena")

    connection = duckdb.connect()
    connection.execute(read(duckdb_path))
    described = connection.execute("describe status_raw").fetchall()
    expected = rows(connection)
    for view in athena[1:]:
        connection.execute(translated(view))
    found = rows(connection)

    table = athena[0].find(exp.Schema)
    partitions = athena[0].find(exp.PartitionedByProperty)
    columns = [column.name for column in table.expressions] + [
        column.name for column in partitions.this.expressions
    ]
    print(
        json.dumps(
            {
                "queries": len(queries),
                "rows": {view: len(expected[view]) for view in VIEWS},
                "same": all(found[view] == expected[view] for view in VIEWS),
                "athena_columns": columns,
                "duckdb_columns": [row[0] for row in described if row[0] != "object"],
            }
        )
    )


main()
