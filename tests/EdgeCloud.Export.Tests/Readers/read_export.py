"""Reads an export with Python's own csv and json modules, with NumPy, or with a TFRecord reader written here, and prints digests of all values.

usage: read_export.py FOLDER

Prints {table: {stream: [count, first, last, sha256]}}. A stream is all values of one field in order, one a line; NAME#len holds the lengths
of its lists. Integers are decimal, floats "f:" and the bits of the double, texts "s:" and the text, truth values true and false.
"""
import base64
import csv
import hashlib
import json
import math
import os
import struct
import sys

csv.field_size_limit(1 << 30)


class Streams:
    def __init__(self):
        self.all = {}

    def add(self, name, text):
        stream = self.all.get(name)
        if stream is None:
            stream = self.all[name] = [0, text, text, hashlib.sha256()]
        stream[0] += 1
        stream[2] = text
        stream[3].update(text.encode() + b"\n")

    def digests(self):
        return {name: [s[0], s[1], s[2], s[3].hexdigest()] for name, s in self.all.items()}


def scalar(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return "f:nan" if math.isnan(value) else "f:%016x" % struct.unpack("<Q", struct.pack("<d", value))[0]
    return "s:" + value


def fits(value, kind):
    """A value of JSON or CSV as the column's type says it is meant."""
    if value is None:
        return None
    if kind.startswith("float"):
        number = float(value)
        return struct.unpack("<f", struct.pack("<f", number))[0] if kind == "float32" and math.isfinite(number) else number
    if kind == "bool":
        return value if isinstance(value, bool) else value == "true"
    return str(value) if kind == "text" else int(value)


def split(text):
    """The parts of a struct's type: 'a float64, b list<c text>'."""
    parts, depth, start = [], 0, 0
    for i, letter in enumerate(text):
        depth += letter == "<"
        depth -= letter == ">"
        if letter == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    return [tuple(part.split(" ", 1)) for part in parts + [text[start:].strip()]]


def add(streams, name, value, kind):
    if value is None:
        streams.add(name, "null")
        return
    if kind == "list<uint8>" and value is not None:
        value = list(base64.b64decode(value)) if isinstance(value, str) else value
    if kind.startswith("list<"):
        item = kind[5:kind.rindex(">")]
        streams.add(name + "#len", str(len(value)))
        for one in value:
            add(streams, name, one, item)
    elif kind.startswith("struct<"):
        for field, field_kind in split(kind[7:-1]):
            add(streams, name + "." + field, value[field], field_kind)
    else:
        streams.add(name, scalar(fits(value, kind)))


def read_csv(path, columns, streams):
    with open(path, newline="", encoding="utf-8") as file:
        # The reader takes "" and nothing for the same; quotes tell them apart, and no text of these exports is missing.
        for row in csv.DictReader(file):
            for name, kind in columns.items():
                value = row[name]
                if kind.startswith(("list<", "struct<")) and kind != "list<uint8>":
                    value = json.loads(value)
                elif value == "" and kind not in ("text", "list<uint8>"):
                    value = None
                add(streams, name, value, kind)


def read_json(path, columns, streams):
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            assert list(row) == list(columns), (list(row), list(columns))
            for name, kind in columns.items():
                add(streams, name, row[name], kind)


def read_numpy(path, columns, streams):
    import numpy

    table = numpy.load(path)

    def text_of(array):
        if array.dtype.kind in "Mm":
            array = array.view("int64")
        return [scalar(v) for v in array.ravel().tolist()]

    for name in table.files:
        array = table[name]
        if name.endswith("__offsets"):
            owner = name[:-9]
            if owner.endswith("__utf8"):
                continue
            step = table[owner].itemsize if owner == "data" and owner in table.files and table[owner].dtype.kind == "V" else 1
            for length in numpy.diff(array).tolist():
                streams.add(owner + "#len", str(length * step))
        elif name.endswith("__utf8"):
            ends = table[name + "__offsets"]
            for i in range(len(ends) - 1):
                streams.add(name[:-6], "s:" + bytes(array[ends[i]:ends[i + 1]]).decode())
        elif name == "data" and (array.dtype.kind == "V" or array.ndim > 1):
            for value in array.tobytes():
                streams.add(name, str(value))
            if array.ndim > 1:
                for _ in range(len(array)):
                    streams.add("data#len", str(array[0].nbytes))
        elif not name.endswith("__valid"):
            for length in array.shape[1:]:
                for _ in range(array.shape[0]):
                    streams.add(name + "#len", str(length))
            for text in text_of(array):
                streams.add(name, text)


def crc32c_table():
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x82F63B78 if i & 1 else 0)
        table.append(i)
    return table


TABLE = crc32c_table()


def masked(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return value, at
        shift += 7


def fields(data):
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        assert tag & 7 == 2, tag
        length, at = varint(data, at)
        yield tag >> 3, data[at:at + length]
        at += length
        assert at <= len(data)


def feature(data):
    (kind, body), = fields(data)
    values = []
    for number, part in fields(body):
        assert number == 1
        if kind == 1:
            values.append(part)
        elif kind == 2:
            values += struct.unpack("<%df" % (len(part) // 4), part)
        else:
            at = 0
            while at < len(part):
                value, at = varint(part, at)
                values.append(value - (1 << 64) if value >> 63 else value)
    return values


def read_tfrecord(path, table, streams):
    described, is_aligned = table["features"], "topic" not in table
    data = open(path, "rb").read()
    at = 0
    while at < len(data):
        length, crc = struct.unpack_from("<QI", data, at)
        assert masked(data[at:at + 8]) == crc
        record = data[at + 12:at + 12 + length]
        assert masked(record) == struct.unpack_from("<I", data, at + 12 + length)[0]
        at += 16 + length
        (_, features), = fields(record)
        example = {}
        for _, entry in fields(features):
            (_, key), (_, value) = fields(entry)
            example[key.decode()] = feature(value)
        names = [f["name"] for f in described if f["name"] in example or not is_aligned]  # where a topic has no message, nor has it features
        assert list(example) == names, (list(example), names)
        for f in described:
            if f["name"] not in example:
                continue
            name, values = f["name"], example[f["name"]]
            if name.endswith("/lengths"):
                for value in values:
                    streams.add(name[:-8] + "#len", str(value))
                continue
            if f["dtype"] == "uint8" and f["kind"] == "bytes":
                streams.add(name + "#len", str(len(values[0])))
                values = list(values[0])
            elif f["shape"] != [] and f["shape"] is not None:
                streams.add(name + "#len", str(f["shape"][0]))
                assert len(values) == f["shape"][0]
            elif f["shape"] is None and not any(o["name"].endswith("/lengths") and name.startswith(o["name"][:-8]) for o in described):
                streams.add(name + "#len", str(len(values)))
            for value in values:
                if f["dtype"] == "bool":
                    value = bool(value)
                elif f["dtype"] == "uint64":
                    value &= (1 << 64) - 1
                elif f["dtype"] == "text":
                    value = value.decode()
                streams.add(name, scalar(value))


def main(folder):
    manifest = json.load(open(os.path.join(folder, "manifest.json")))
    tables = {}
    for topic in manifest["topics"]:
        tables.setdefault(topic["table"], {c["name"]: c["type"] for c in topic["columns"]})
    for table in manifest["tables"]:
        tables[table["name"]] = {c["name"]: c["type"] for c in table["columns"]}
    read = {"csv": read_csv, "jsonl": read_json, "numpy": read_numpy}
    result = {}
    for file in manifest["files"]:
        path = os.path.join(folder, file["name"])
        content = open(path, "rb").read()
        assert len(content) == file["bytes"] and hashlib.sha256(content).hexdigest() == file["sha256"], file["name"]
        if not file["table"] or file["name"].count("/") > 0:
            continue
        streams = result.setdefault(file["table"], Streams())
        if manifest["format"] == "tfrecord":
            read_tfrecord(path, json.load(open(os.path.join(folder, file["table"] + ".features.json"))), streams)
        else:
            read[manifest["format"]](path, tables[file["table"]], streams)
    json.dump({name: streams.digests() for name, streams in result.items()}, sys.stdout)


main(sys.argv[1])
