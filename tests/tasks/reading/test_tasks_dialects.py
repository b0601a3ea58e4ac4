"""One table in many dialects: the same numbers."""

import bz2
import gzip
import lzma
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import InputError
from tasks.reading.own.reading import Reading
from tasks.reading.own.sheet import Sheet


def sheet(content: str | bytes, name: str = "t.csv", **stated: str) -> Sheet:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return Sheet(str(path), Reading(**stated))


NUMBERS = st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: round(value, 4))


@st.composite
def dialects(draw: st.DrawFn) -> tuple[Any, ...]:
    """A table of numbers, and a dialect that no one can misread."""
    width = draw(st.integers(2, 5))
    rows = draw(st.lists(st.lists(NUMBERS, min_size=width, max_size=width), min_size=3, max_size=12))
    separator = draw(st.sampled_from([",", ";", "\t", "|", " "]))
    decimal = draw(st.sampled_from([".", ","])) if separator in ";\t|" else "."
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    quoted = draw(st.booleans())
    thousands = draw(st.sampled_from(["", "'"]))
    names = [draw(st.sampled_from(["größe", "Δ", "a.b", "v_1", "m²"])) + str(i) for i in range(width)]
    if encoding == "cp1252":
        names = [name.replace("Δ", "d") for name in names]
    before = draw(st.sampled_from(["", "# a comment" + end, end]))
    return rows, separator, decimal, encoding, end, quoted, thousands, names, before


@given(dialects())
@settings(max_examples=80, deadline=None)
def test_a_table_reads_back_from_any_dialect(dialect: Any) -> None:
    rows, separator, decimal, encoding, end, quoted, thousands, names, before = dialect

    def field(text: str) -> str:
        return f'"{text}"' if quoted else text

    def number(value: float) -> str:
        return field(f"{value:,.4f}".replace(",", thousands).replace(".", decimal))

    lines = [separator.join(field(name) for name in names)]
    lines += [separator.join(number(value) for value in row) for row in rows]
    text = before + end.join(lines) + end
    # few numbers do not tell 1,234 from 1.234, nor -999 from a marker: both are stated, all else is found
    table = sheet(text.encode(encoding), decimal=decimal, missing="none")
    assert list(table.names) == names
    for place, name in enumerate(names):
        np.testing.assert_array_equal(table.column(name).values, [round(row[place], 4) for row in rows])


@given(st.lists(st.floats(-1e15, 1e15), min_size=2, max_size=20))
@settings(max_examples=100, deadline=None)
def test_every_bit_of_a_number_is_kept(values: Any) -> None:
    table = sheet("a,b\n" + "".join(f"{value!r},0\n" for value in values), missing="none")
    np.testing.assert_array_equal(table.column("a").values, values)


@pytest.mark.parametrize(
    ("texts", "stated", "expected"),
    [
        (["1,5", "0,25"], {}, [1.5, 0.25]),
        (["1.234,5", "2,25"], {}, [1234.5, 2.25]),
        (["1,234.5", "2.25"], {}, [1234.5, 2.25]),
        (["1,234,567", "2,345,678"], {}, [1234567, 2345678]),
        (["12,34,567", "1,00,000"], {}, [1234567, 100000]),
        (["1'234.5", "2"], {}, [1234.5, 2]),
        (["1 234,5", "2,1"], {}, [1234.5, 2.1]),
        (["1\u202f234,5", "2,1"], {}, [1234.5, 2.1]),
        (["1,234", "5"], {"decimal": "."}, [1234, 5]),
        (["1,234", "5"], {"decimal": ","}, [1.234, 5]),
        (["1.234", "5"], {"thousands": "."}, [1234, 5]),
        (["12%", "5%"], {}, [12, 5]),
        (["$1,200.50", "$3.10"], {}, [1200.5, 3.1]),
        (["3,10 €", "1.200,50 €"], {}, [3.1, 1200.5]),
        (["EUR 12.5", "EUR 7.5"], {}, [12.5, 7.5]),
        (["1 room", "3 rooms"], {}, [1, 3]),
        (["12 kg", "7.5 kg"], {}, [12, 7.5]),
        (["(12.5)", "7.5"], {}, [-12.5, 7.5]),
        (["−12.5", "+7.5"], {}, [-12.5, 7.5]),
        (["12.5-", "7.5"], {}, [-12.5, 7.5]),
        (["1.5E+05", "2d-1"], {}, [150000, 0.2]),
        (["1.5M", "200K"], {}, [1.5e6, 2e5]),
        (["007", "12"], {}, [7, 12]),
        (["true", "FALSE"], {}, [1, 0]),
        (["Y", "N"], {}, [1, 0]),
        ([".5", "5."], {}, [0.5, 5]),
    ],
)
def test_numbers_as_people_write_them(texts: Any, stated: Any, expected: Any) -> None:
    table = sheet("k;v\n" + "".join(f'{i};"{text}"\n' for i, text in enumerate(texts)), **stated)
    column = table.column("v")
    np.testing.assert_array_equal(column.values, expected)
    assert "\n" not in " ".join(table.said())


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["1,234", "5,678"], "'1,234' is 1234 or 1.234"),
        (["1.234", "5"], "'1.234' is 1234 or 1.234"),
        (["1,5", "2.5"], "is no number as others"),
        (["12%", "0.5", "3%"], "write all with the same unit"),
        (["12 kg", "500 g", "3 kg"], "write all with the same unit"),
        (["5", "$5", "7"], "write all with the same unit"),
        (["5", "about 5", "7"], "'about 5' in line 3 is no number"),
        (["2020-01-01", "2020-01-32", "2020-01-03"], "'2020-01-32' in line 3 is no time"),
        (["03/04/2020", "05/06/2021"], "give dates=day-first or month-first"),
        (["2020-01-01 10:00Z", "2020-01-01 11:00"], "some times have a time zone"),
        (["1", "inf", "3"], "infinite in line 3"),
        (["1", "1e300"], "square overflows, in line 3"),
    ],
)
def test_what_may_be_read_in_two_ways_is_refused(texts: Any, message: Any) -> None:
    table = sheet("k;v\n" + "".join(f"{i};{text}\n" for i, text in enumerate(texts)))
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        table.column("v")


def test_words_stay_words(kit: Any) -> None:
    for texts in (
        ["A1", "A2", "B1"],
        ["low", "high", "low"],
        ["1-2 rooms", "3-4 rooms", "5+"],
        ["1.2.3", "1.2.4", "10.0.0.1"],
    ):
        assert sheet("k;v\n" + "".join(f"{i};{text}\n" for i, text in enumerate(texts))).column("v").kind == "text"
    table = sheet("k;v\n1;01\n2;1\n3;02\n", texts="v")
    assert table.column("v").values.tolist() == ["01", "1", "02"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('x,y\n1,"2\n3,4\n5,6\n', "quote .* in line 2 is not closed|fields? in line"),
        ('x,y\n1,"2\n3,4\n5,6",7\n8,9\n', "fields? in line 2"),
        ("Report of 2020\n\nx,y\n1,2\n3,4\n", "in line"),
        ("k,y\na,1\nb,2\nTotal,3\n", "line 4 .* looks like a row of totals"),
        ("x,y\n1,2\n3,4\nSource: here\n", "2 names, 1 field in line 4"),
        ("x,y\n1,2\n# broken\n3,4\n", "2 names, 1 field in line 3"),
        ("x,y\n1,2\n\0,4\n", "binary"),
        ("3.5,ok\n1.5,ok\n", "looks like a row"),
        ("a,ok\n1.5,ok\n2.5,b\n", "looks like a row"),
        ("39, private, 77516\n50, private, 83311\n", "looks like a row"),
        ("x,y\n", "no rows"),
        ("\n\n", "no column names|no rows"),
        ('"x,y\n1,2\n3,4\n', "in line 1, that of the names, is not closed"),
    ],
)
def test_lines_that_are_no_rows_are_named(content: Any, message: Any) -> None:
    with pytest.raises(InputError, match=message) as caught:
        sheet(content)
    assert "\n" not in str(caught.value)


def test_what_is_refused_can_be_stated() -> None:
    assert sheet("Report\n\nx,y\n1,2\n3,4\n", header="3").column("y").values.tolist() == [2, 4]
    assert sheet("k,y\na,1\nb,2\nTotal,3\n", skip_lines="4").column("y").values.tolist() == [1, 2]
    assert sheet("k,y\na,1\nb,2\nTotal,3\n", skip_lines="none").column("y").values.tolist() == [1, 2, 3]
    assert sheet("x,y\nkg,m\n1,2\n3,4\n", skip_lines="2").column("x").values.tolist() == [1, 3]
    assert sheet("x,y\n1,2\n# broken\n3,4\n", comment="#").column("x").values.tolist() == [1, 3]
    assert sheet("x,y\n1,?\n3,4\n", missing="?").column("y").values[1] == 4
    assert sheet("x:y\n1:2\n3:4\n", separator=":").names == ("x", "y")
    assert sheet("3.5,2\n1.5,4\n", header="none").names == ("c1", "c2")
    assert sheet("d,y\n20230113,1\n20230114,2\n", dates="%Y%m%d").column("d").values.tolist() == [19370, 19371]


@pytest.mark.parametrize("content", ["# x w\n1 2\n3 4\n", "#x w\n1 2\n3 4\n", "# made by\n# x w\n1 2\n3 4\n"])
def test_names_in_a_comment(content: Any) -> None:
    table = sheet(content, "t.dat")
    assert table.names == ("x", "w")
    assert table.column("w").values.tolist() == [2, 4]


def test_a_column_called_number_sign() -> None:
    assert sheet("#,name,y\n1,a,5\n2,b,6\n").names == ("#", "name", "y")


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"separator": ";"}, "splits no line"),
        ({"separator": "ab"}, "one character"),
        ({"decimal": ";"}, "decimal must be"),
        ({"encoding": "klingon"}, "unknown encoding"),
        ({"encoding": "utf-16"}, "is not UTF-16"),
        ({"header": "99"}, "line 99 holds no names"),
        ({"header": "first"}, "number of a line"),
        ({"dates": "european"}, "dates must be"),
        ({"skip_lines": "last"}, "numbers of lines"),
        ({"thousands": "x"}, "thousands must be"),
        ({"decimal": ".", "thousands": "."}, "cannot both"),
        ({"texts": "z"}, "no column 'z'"),
    ],
)
def test_options_wrongly_given(stated: Any, message: Any) -> None:
    with pytest.raises((InputError, ValueError), match=message):
        sheet("x,y\n1,2\n3,4\n", **stated)


def test_packed_tables(kit: Any) -> None:
    text = kit.lines().encode()
    for name, pack in (("t.csv.gz", gzip.compress), ("t.txt.bz2", bz2.compress), ("t.tsv.xz", lzma.compress)):
        kit.same(kit.read(pack(text), name=name))
    with zipfile.ZipFile(kit.folder / "t.zip", "w") as archive:
        archive.writestr("inner.csv", text)
    kit.same(kit.read(kit.folder / "t.zip"))
    with zipfile.ZipFile(kit.folder / "t.zip", "a") as archive:
        archive.writestr("other.csv", text)
    assert "2 files in t.zip" in kit.refused(kit.folder / "t.zip")
    assert "cannot be read" in kit.refused(gzip.compress(text)[:-20], name="t.csv.gz")
    assert "Excel workbook" in kit.refused(b"PK\x03\x04" + bytes(100))


def test_one_reading_has_one_name(kit: Any) -> None:
    text = kit.lines(separator="\t")
    kit.same(kit.read(text, separator="\t"))
    import tasks

    names = {tasks.own_data(kit.folder / "t.csv", target="y", far_by="x", separator=s).name for s in ("\t", "tab")}
    assert len(names) == 1
    assert "separator=tab" in names.pop()
    assert "=guess" not in tasks.own_data(kit.folder / "t.csv", target="y", far_by="x", decimal="guess").name
