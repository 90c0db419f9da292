"""The feature pipeline in DuckDB: SQL for all that is done to rows, Python for files and exit codes.

    python main.py --events DIR --reference DIR --as-of YYYY-MM-DD --out DIR [--previous DIR] [--keep-state]
"""

import argparse
import gzip
import hashlib
import json
import os
import sys
import tempfile
from datetime import date
from pathlib import Path

import duckdb

HERE = Path(__file__).resolve().parent
DELIVERIES = "events-[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].csv"
STATE_TABLES = ("deliveries", "events", "quarantine")
BATCH_LINES = 100_000
NEEDED = (("event_id",), ("store_id",), ("type",), ("currency",), ("received_at",))
VERSIONS = (("customer_id", "user_id"), ("occurred_at", "occurred_local"), ("amount_minor", "amount"))


class Unusable(Exception):
    """The inputs cannot be worked with."""


def main() -> int:
    options = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        database = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "240MB", "temp_directory": scratch})
        try:
            results, exit_code = run(database, options, Path(scratch))
        except Unusable as problem:
            print(f"unusable: {problem}", file=sys.stderr)
            return 3
    for name, content in results.items():
        (options.out / name).parent.mkdir(exist_ok=True, parents=True)
        (options.out / name).write_bytes(content)
    return exit_code


def arguments() -> argparse.Namespace:
    def day(text: str) -> date:
        if len(text) != 10:
            raise ValueError(text)
        return date.fromisoformat(text)

    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("--events", "--reference", "--out"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--as-of", type=day, required=True)
    parser.add_argument("--previous", type=Path)
    parser.add_argument("--keep-state", action="store_true")
    return parser.parse_args()


def run(database: duckdb.DuckDBPyConnection, options: argparse.Namespace, scratch: Path) -> tuple[dict[str, bytes], int]:
    database.execute((HERE / "schema.sql").read_text())
    load_reference(database, options.reference)
    if options.previous:
        load_state(database, options.previous / "state", scratch)
    known = {name for (name,) in database.execute("SELECT name FROM deliveries").fetchall()}
    paths = sorted(options.events.glob(DELIVERIES))
    if not paths and not known:
        raise Unusable("no deliveries")
    for path in paths:
        if path.name not in known:
            take_in(database, path, scratch)
    database.execute((HERE / "latest.sql").read_text())

    totals = dict(zip(("files", "rows", "quarantined", "duplicates", "events"), fetch(database, "SELECT * FROM totals")))
    results = {
        "quarantine.csv": table(database, "SELECT * FROM quarantine ORDER BY file, line", scratch),
        "summary.json": json.dumps({"as_of": str(options.as_of), **totals}).encode() + b"\n",
    }
    print(json.dumps(totals), file=sys.stderr)
    if totals["quarantined"] * 10 > totals["rows"]:
        print("too many bad rows", file=sys.stderr)
        return results, 4
    database.execute("SET VARIABLE as_of = ?::DATE", [str(options.as_of)])
    results["features.csv"] = table(database, (HERE / "features.sql").read_text(), scratch)
    if options.keep_state:
        results |= state(database, scratch)
    return results, 0


def load_reference(database: duckdb.DuckDBPyConnection, folder: Path) -> None:
    for name, columns in (
        ("customers", ("customer_id", "valid_from", "segment")),
        ("stores", ("store_id", "time_zone")),
        ("rates", ("date", "currency", "eur_per_unit")),
    ):
        path = folder / f"{name}.csv"
        if not path.is_file():
            raise Unusable(f"{name}.csv is missing")
        selected = ", ".join(columns)
        try:
            database.execute(
                f"CREATE TABLE raw_{name} AS SELECT row_number() OVER () AS line, {selected} FROM read_csv(?, "
                "all_varchar = true, header = true, delim = ',', quote = '', escape = '', auto_detect = true)",
                [str(path)],
            )
        except duckdb.Error as error:
            raise Unusable(f"{name}.csv is not the table it should be") from error
    database.execute((HERE / "reference.sql").read_text())


def take_in(database: duckdb.DuckDBPyConnection, path: Path, scratch: Path) -> None:
    """One delivery: its lines as text go into a table, and SQL tells good ones from bad ones."""
    with path.open("rb") as file:
        header = file.readline().decode("utf-8", "replace").rstrip("\n").split(",")
        position = positions(path.name, header)
        lines = file.read().removesuffix(b"\n")
    texts: list[str | None] = []
    if lines:
        try:
            texts = lines.decode().split("\n")
        except UnicodeDecodeError:
            texts = [text_of(line) for line in lines.split(b"\n")]
    del lines
    numbered = scratch / "lines.csv"
    with numbered.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"{number}\t{'' if text is None else text}\n" for number, text in enumerate(texts, start=2))
    odd = [number for number, text in enumerate(texts, start=2) if text is None]
    query = (HERE / "delivery.sql").read_text()
    for name, index in position.items():
        query = query.replace(f"<{name}>", f"cells[{index}]" if index else "NULL")
    query = query.replace("<width>", str(len(header)))
    database.execute("SET VARIABLE delivery = ?", [path.name])
    database.execute("SET VARIABLE not_utf8 = ?::BIGINT[]", [odd])
    database.execute(
        "CREATE OR REPLACE TEMP TABLE lines AS SELECT line, text FROM read_csv(?, header = false, delim = '\t', "
        "quote = '', escape = '', auto_detect = false, columns = {'line': 'BIGINT', 'text': 'VARCHAR'}, "
        "nullstr = '\\0')",
        [str(numbered)],
    )
    database.execute(query)
    database.execute("INSERT INTO deliveries SELECT getvariable('delivery'), ?", [len(texts)])
    numbered.unlink()


def text_of(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


def positions(name: str, header: list[str]) -> dict[str, int]:
    """Where each column stands, counted from 1; 0 for one that this version has not."""
    found = {}
    for names in (*NEEDED, *VERSIONS):
        if not set(names) & set(header):
            raise Unusable(f"{name} has no column {names[0]}")
        found |= {column: header.index(column) + 1 if column in header else 0 for column in names}
    return found


def table(database: duckdb.DuckDBPyConnection, query: str, scratch: Path) -> bytes:
    path = scratch / "table.csv"
    database.execute(f"COPY ({query.strip().rstrip(';')}) TO '{path}' (HEADER, DELIMITER ',', QUOTE '')")
    return path.read_bytes()


def fetch(database: duckdb.DuckDBPyConnection, query: str) -> tuple:
    return database.execute(query).fetchone()


def state(database: duckdb.DuckDBPyConnection, scratch: Path) -> dict[str, bytes]:
    files = {}
    for name in STATE_TABLES:
        content = table(database, f"SELECT * FROM {name} ORDER BY ALL", scratch)
        digest = hashlib.sha256(content).hexdigest().encode()
        files[f"state/{name}.csv.gz"] = gzip.compress(digest + b"\n" + content, mtime=0)
    return files


def load_state(database: duckdb.DuckDBPyConnection, folder: Path, scratch: Path) -> None:
    for name in STATE_TABLES:
        try:
            digest, _, content = gzip.decompress((folder / f"{name}.csv.gz").read_bytes()).partition(b"\n")
        except (OSError, EOFError) as error:
            raise Unusable(f"the state's {name} cannot be read") from error
        if hashlib.sha256(content).hexdigest().encode() != digest:
            raise Unusable(f"the state's {name} is damaged")
        path = scratch / "state.csv"
        path.write_bytes(content)
        database.execute(f"COPY {name} FROM '{path}' (HEADER, DELIMITER ',', QUOTE '')")


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    sys.exit(main())
