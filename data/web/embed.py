#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the files of the page as a C source, so that the daemon needs no files of its own while
it runs.

usage: embed.py FILE... > page_files.c
"""

import os
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


def main():
    rows = []
    print('/* made of data/web by embed.py */\n\n#include "control/daemon/page_files.h"\n')
    for n, path in enumerate(sys.argv[1:]):
        name = os.path.basename(path)
        with open(path, "rb") as f:
            data = f.read()
        print(f"static const unsigned char file_{n}[] = {{")
        for i in range(0, len(data), 16):
            print("\t" + " ".join(f"0x{b:02x}," for b in data[i:i + 16]))
        print("};\n")
        url = "/" if name == "index.html" else "/" + name
        rows.append(f'\t{{"{url}", "{TYPES[os.path.splitext(name)[1]]}", file_{n}, '
                    f"sizeof(file_{n})}},")
    print("const struct page_file page_files[] = {", *rows, "};", sep="\n")
    print(f"const size_t page_n_files = {len(rows)};")


if __name__ == "__main__":
    main()
