"""Runs a query over the lake with DuckDB, as an analyst would, and prints its rows as JSON.

    lake_query.py TABLES.sql QUERY.sql [PARAMETER...]
"""

import json
import sys

import duckdb


def main():
    tables, query, *parameters = sys.argv[1:]
    connection = duckdb.connect()
    with open(tables, encoding="utf-8") as file:
        connection.execute(file.read())
    with open(query, encoding="utf-8") as file:
        result = connection.execute(file.read(), parameters)
    names = [column[0] for column in result.description]
    rows = [dict(zip(names, row)) for row in result.fetchall()]
    print(json.dumps({"columns": names, "rows": rows}, default=str))


main()
