"""Writes types.arrow and types.parquet: a column of each type that has a text form, and types.json
with the text that Python gives: json.dumps for what JSON knows, str for the rest. Needs pyarrow."""
import datetime as dt
import decimal
import json
import uuid

import pyarrow as pa
import pyarrow.parquet as pq

utc = dt.timezone.utc
values = {
    "bool": (pa.bool_(), [True, False]),
    "int8": (pa.int8(), [-128, 7]),
    "uint8": (pa.uint8(), [255, 0]),
    "uint32": (pa.uint32(), [2**32 - 1, 0]),
    "int64": (pa.int64(), [-(2**63), 2**63 - 1]),
    "uint64": (pa.uint64(), [2**64 - 1, 0]),
    "half": (pa.float16(), [0.5, -2.0]),
    "float": (pa.float32(), [0.1, 1e20]),
    "double": (pa.float64(), [123456789.123, 1e-07]),
    "large": (pa.float64(), [1e16, 5e-324]),
    "whole": (pa.float64(), [3.0, -0.0]),
    "nan": (pa.float64(), [float("nan"), float("-inf")]),
    "decimal": (pa.decimal128(10, 2), [decimal.Decimal("1.50"), decimal.Decimal("-0.01")]),
    "decimal256": (pa.decimal256(50, 0), [decimal.Decimal(10**40), decimal.Decimal(0)]),
    "date": (pa.date32(), [dt.date(2024, 1, 2), dt.date(1, 1, 1)]),
    "date64": (pa.date64(), [dt.date(2024, 1, 2), dt.date(1969, 12, 31)]),
    "time": (pa.time32("s"), [dt.time(3, 4, 5), dt.time(0, 0)]),
    "time_us": (pa.time64("us"), [dt.time(3, 4, 5, 60), dt.time(23, 59, 59)]),
    "timestamp": (pa.timestamp("s"), [dt.datetime(2024, 1, 2, 3, 4, 5), dt.datetime(1969, 12, 31, 23, 59, 59)]),
    "timestamp_us": (pa.timestamp("us"), [dt.datetime(2024, 1, 2, 3, 4, 5, 70), dt.datetime(1900, 1, 1, 0, 0, 0, 1)]),
    "timestamp_utc": (pa.timestamp("ms", "UTC"), [dt.datetime(2024, 1, 2, 3, 4, 5, 6000, utc), dt.datetime(2024, 7, 2, tzinfo=utc)]),
    "timestamp_paris": (pa.timestamp("us", "Europe/Paris"), [dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=utc), dt.datetime(2024, 7, 2, tzinfo=utc)]),
    "duration": (pa.duration("s"), [dt.timedelta(seconds=1), dt.timedelta(days=2, hours=30)]),
    "duration_us": (pa.duration("us"), [dt.timedelta(days=1, microseconds=5), dt.timedelta(seconds=-1)]),
    "large_text": (pa.large_string(), ["ä", ""]),
    "text": (pa.string(), ["\U0001f44b", "b"]),
    "category": (pa.dictionary(pa.int8(), pa.string()), ["noun", "verb"]),
}
table = pa.table({name: pa.array(v, t) for name, (t, v) in values.items()})
as_json = (bool, int, float)


def text(value):
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, as_json) else str(value)


expected = [{name: text(table[name][i].as_py()) for name in values} for i in range(2)]
with pa.OSFile("types.arrow", "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
    writer.write_table(table)
pq.write_table(table, "types.parquet")
with open("types.json", "w", encoding="utf-8") as out:
    json.dump(expected, out, ensure_ascii=False, indent=1)
