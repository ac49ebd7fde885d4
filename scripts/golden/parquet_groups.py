"""Writes the small Parquet file that ParquetFileTests damages byte by byte.

Its bytes differ between releases of pyarrow; its values do not.
"""

import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

rows = range(250)
table = pa.table({
    "text": [None if n % 7 == 3 else f"text {n}" for n in rows],
    "number": pa.array(rows, pa.int32()),
    "list": [[f"{n}-{i}" for i in range(n % 4)] for n in rows],
})
folder = pathlib.Path(__file__).parents[2] / "Tests/ParquetTests/Golden"
pq.write_table(
    table, folder / "groups.parquet", row_group_size=100, data_page_size=256, write_batch_size=16,
    use_dictionary=["number"], store_schema=False)
