#!/usr/bin/env python3
"""Prints what Alertmanager sends to a webhook, a line an alert.  webhook_printer.py --address 127.0.0.1:9095"""

import argparse
import http.server
import json
import sys
import threading

LONGEST_BODY = 1 << 20
ONE_AT_A_TIME = threading.Lock()


def lines_of(message):
    for alert in message.get("alerts", []):
        labels, notes = alert.get("labels", {}), alert.get("annotations", {})
        where = " ".join(f"{name}={labels[name]}" for name in ("instance", "pool", "tag", "resource") if name in labels)
        what = notes.get("description") or notes.get("summary") or ""
        yield printable(
            f"[{alert.get('status', '?')}] {labels.get('severity', '-')} {labels.get('alertname', '?')} {where}: {what}"
        )


def printable(text):
    return "".join(c if c.isprintable() else " " for c in text)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        status = 200
        if length > LONGEST_BODY:
            status = 413
        else:
            try:
                lines = lines_of(json.loads(self.rfile.read(length)))
                with ONE_AT_A_TIME:  # and in one piece: print() writes a line and its end apart
                    sys.stdout.write("".join(line + "\n" for line in lines))
                    sys.stdout.flush()
            except (ValueError, AttributeError):
                status = 400
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="127.0.0.1:9095")
    host, port = parser.parse_args().address.rsplit(":", 1)
    http.server.ThreadingHTTPServer((host, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
