"""Prometheus' remote_write 1.0 without libraries: protobuf in a snappy block of one literal."""

import struct
import urllib.request


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def time_series(labels, samples):
    """labels: {name: text} with __name__; samples: [(unix seconds, value)] in order of time."""
    text = b"".join(
        field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in sorted(labels.items())
    )
    points = b"".join(
        field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(int(at * 1000))) for at, value in samples
    )
    return field(1, text + points)


def snappy(data):
    return varint(len(data)) + b"\xfc" + struct.pack("<I", len(data) - 1) + data if data else b"\x00"


def send(url, series, timeout=60):
    """series: [time_series(...)]"""
    headers = {
        "Content-Encoding": "snappy",
        "Content-Type": "application/x-protobuf",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }
    request = urllib.request.Request(url, snappy(b"".join(series)), headers)
    with urllib.request.urlopen(request, timeout=timeout) as response:
        if response.status not in (200, 204):
            raise OSError(f"{url}: {response.status}")
