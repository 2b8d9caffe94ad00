# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's kunit.py parse.

The first argument is tools/testing/kunit of a kernel tree. `speed FILE` only
reads; `results FILE...` prints what bench/peers/README describes.
"""
import signal
import sys

sys.path.insert(0, sys.argv[1])
import kunit_parser  # noqa: E402
from kunit_printer import Printer  # noqa: E402

SECONDS = 5  # of one small log: it may loop on what it does not know
STATUS = {"SUCCESS": "pass", "SKIPPED": "skip"}


def leaves(test):
    """A test without subtests. Its root stands for no line."""
    for sub in test.subtests:
        if sub.subtests:
            yield from leaves(sub)
        else:
            yield sub


def too_long(*_):
    raise TimeoutError


def main(mode, files):
    Printer.print = lambda self, text: None
    signal.signal(signal.SIGALRM, too_long)
    for path in files:
        with open(path, errors="backslashreplace") as log:
            text = log.read()
        if mode == "results":
            signal.alarm(SECONDS)
            print("==", path)
            if "TAP version" not in text:  # it reads from the first header on
                text = "KTAP version 1\n" + text
        try:
            result = kunit_parser.parse_run_tests(text.splitlines())
        except Exception as error:  # it may raise on what it does not know
            print("verdict", "raised " + type(error).__name__, sep="\t")
            continue
        if mode != "results":
            continue
        for test in leaves(result):
            print(STATUS.get(test.status.name, "fail"), test.name, sep="\t")
        good = result.status.name in STATUS and not result.counts.errors
        print("verdict", "ok" if good else "not ok", sep="\t")


main(sys.argv[2], sys.argv[3:])
