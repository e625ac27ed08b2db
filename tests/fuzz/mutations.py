"""Ways to damage a file: bytes, text, and the structure of a few formats, by a seeded generator."""

import io
import json
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any

Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]

_WORDS = [
    "nan", "-inf", "1e400", "-1", "0", "99999999999999999999", "4294967296", "2147483647", "{", "}",
    "", "=", "\x00", "9" * 5000, "true", "null", "65536", "1.5", ",", "²", "[" * 2000,
]  # fmt: skip
_ODD: list[Any] = [
    None, True, -1, 0, 2**31, 10**30, 1.5, float("nan"), float("inf"), "", "x", [], {}, [[]],
    {"a": 1}, 1e308, ["a"], 3,
]  # fmt: skip


def of_bytes(r: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Flip bits, put in extreme numbers, cut, repeat, insert, or join with another file."""
    for _ in range(r.choice([1, 1, 1, 2])):
        data = r.choice([_flip, _flip, _extreme, _extreme, _cut, _cut, _end])(r, data)
        if r.random() < 0.1:
            other = r.choice(others)
            data = data[: r.randrange(len(data) + 1)] + other[r.randrange(len(other) + 1) :]
    return data


def _flip(r: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(r.choice([1, 2, 8])):
        if changed:
            changed[r.randrange(len(changed))] ^= 1 << r.randrange(8)
    return bytes(changed)


def _extreme(r: random.Random, data: bytes) -> bytes:
    changed, size = bytearray(data), r.choice([1, 2, 4, 8])
    if len(changed) >= size:
        top = 2 ** (8 * size)
        value = r.choice([0, 1, top - 1, top // 2, top // 2 - 1, 255, 65535, 2**20, 2**31]) % top
        at = r.randrange(min(len(changed) - size + 1, r.choice([64, 512, 2**30])))
        changed[at : at + size] = value.to_bytes(size, r.choice(["little", "big"]))
    return bytes(changed)


def _cut(r: random.Random, data: bytes) -> bytes:
    start = r.randrange(len(data) + 1)
    end = start + r.choice([1, 4, 64, 512])
    how = r.randrange(3)
    if how == 0:
        return data[:start] + data[end:]
    if how == 1:
        return data[:end] + data[start:end] * r.choice([1, 2, 50]) + data[end:]
    return data[:start] + r.randbytes(r.choice([1, 4, 32])) + data[start:]


def _end(r: random.Random, data: bytes) -> bytes:
    return data[: r.randrange(len(data) + 1)]


def of_text(r: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Put odd words in the place of numbers and names, drop and repeat lines."""
    if r.random() < 0.2:
        return of_bytes(r, data, others)
    text = data.decode("utf-8", "surrogateescape")
    for _ in range(r.choice([1, 1, 2])):
        found = list(re.finditer(r.choice([r"-?\d+(\.\d+)?", r"[^\s,=:{}\[\]\"]+"]), text))
        if found and r.random() < 0.8:
            place = r.choice(found)
            text = text[: place.start()] + r.choice(_WORDS) + text[place.end() :]
        elif lines := text.splitlines(keepends=True):
            at = r.randrange(len(lines))
            lines[at : at + 1] = [lines[at]] * r.choice([0, 2, 3])
            text = "".join(lines)
    return text.encode("utf-8", "surrogateescape")


def of_png(r: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Damage a PNG, and most often make its checksums right again."""
    data = of_bytes(r, data, others)
    if r.random() < 0.2 or data[:8] != b"\x89PNG\r\n\x1a\n":
        return data
    out, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        size = struct.unpack(">I", data[at : at + 4])[0]
        if at + 12 + size > len(data):
            break
        body = data[at + 4 : at + 8 + size]
        out += data[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + size
    return bytes(out + data[at:])


def of_npy(r: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Damage an array: bytes, or the text of its header under its right length."""
    if r.random() < 0.5 or len(data) < 12:
        return of_bytes(r, data, others)
    size = struct.unpack("<H", data[8:10])[0]
    text = of_text(r, data[10 : 10 + size].rstrip(), others)[:60_000] + b"\n"
    return data[:8] + struct.pack("<H", len(text)) + text + data[10 + size :]


def of_zip(r: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Damage an archive: bytes, or one of its members packed anew."""
    if r.random() < 0.3:
        return of_bytes(r, data, others)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    name, how = r.choice(list(held)), r.randrange(5)
    if how == 0:
        del held[name]
    elif how == 1:
        held[name + r.choice(["x", "/../../x", ".npy"])] = held.pop(name)
    elif how == 2:
        held[name] = held[r.choice(list(held))]
    else:
        held[name] = of_npy(r, held[name], list(held.values()))
    file = io.BytesIO()
    with zipfile.ZipFile(
        file, "w", r.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    ) as archive:
        for key, content in held.items():
            archive.writestr(key, content)
    return file.getvalue()


def of_safetensors(r: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Damage weights: bytes, header, description or the values of one tensor."""
    how = r.randrange(10)
    if how < 3:
        return of_bytes(r, data, others)
    size = struct.unpack("<Q", data[:8])[0]
    head, body = json.loads(data[8 : 8 + size]), bytearray(data[8 + size :])
    names = [name for name in head if name != "__metadata__"]
    if how < 8:
        described = json.loads(head["__metadata__"]["description"])
        head["__metadata__"]["description"] = json.dumps(_odd(r, described))
    elif how == 8:
        entry = head[r.choice(names)]
        entry["shape"] = r.choice([entry["shape"][::-1], [1, *entry["shape"]], []])
    else:
        start, end = head[r.choice(names)]["data_offsets"]
        body[start:end] = r.choice([b"\xff", b"\x7f", b"\x80"]) * (end - start)
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + bytes(body)


def _odd(r: random.Random, value: Any) -> Any:
    """Change, drop or rename one value at any depth of JSON."""
    places: list[tuple[Any, Any]] = []

    def walk(part: Any) -> None:
        keys = (
            part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
        )
        for key in keys:
            places.append((part, key))
            walk(part[key])

    walk(value)
    place, key = r.choice(places)
    how = r.randrange(4)
    if how == 0:
        del place[key]
    elif how == 1 and isinstance(place, dict):
        place[f"{key}x"] = place.pop(key)
    else:
        place[key] = r.choice(_ODD)
    return value
