# SPDX-License-Identifier: GPL-2.0-or-later
"""Python's tap.py (tappy).

`tappy.py speed FILE` only reads; `tappy.py results FILE...` prints what
bench/peers/README describes.
"""
import io
import sys
import unittest

from tap.loader import Loader
from tap.parser import Parser


def status(line):
    if line.skip:
        return "skip"
    if line.todo:
        return "todo"
    return "pass" if line.ok else "fail"


def main(mode, files):
    for path in files:
        with open(path, errors="replace") as log:
            text = log.read()
        if mode == "results":
            print("==", path)
        try:
            for line in Parser().parse(io.StringIO(text)):
                if mode == "results" and line.category == "test":
                    print(status(line), line.description, sep="\t")
            if mode == "results":
                # Its loader checks the plan, and makes a unittest of all.
                result = unittest.TestResult()
                Loader().load([path]).run(result)
                print("verdict", "ok" if result.wasSuccessful() else "not ok", sep="\t")
        except Exception as error:  # it may raise on what it does not know
            print("verdict", "raised " + type(error).__name__, sep="\t")


main(sys.argv[1], sys.argv[2:])
