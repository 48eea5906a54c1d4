#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes ringcast.conf(5) of doc/configuration.md, so that a keyword is described once.

usage: conf5.py CONFIGURATION.md TEMPLATE > ringcast.conf.5

The template has the parts that only the manual page has; a line @SECTION Title@ in it is replaced
by the text below that heading. Of Markdown the parts are known that configuration.md uses:
headings, paragraphs, lists, indented code, tables, `code`, **strong**, *emphasis*, links. A heading
of the third level, which is a keyword with its argument, becomes an item. """

import re
import sys
import textwrap

WIDTH = 78


def escape(text):
    return text.replace("\\", "\\e")


def code(text):
    return "\\fB" + escape(text).replace("-", "\\-") + "\\fP"


def inline(text):
    """One paragraph, without its line ends, as roff."""
    parts = re.split(r"(`[^`]+`)", text)
    out = []
    for part in parts:
        if part.startswith("`"):
            out.append(code(part[1:-1]))
            continue
        part = escape(part)
        part = re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", part)
        part = re.sub(r"\*\*([^*]+)\*\*", r"\\fB\1\\fP", part)
        part = re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*", r"\\fI\1\\fP", part)
        out.append(part)
    return "".join(out)


def sentences(text):
    """Roff wants each sentence on a line of its own; and no line may begin like a request."""
    text = re.sub(r"([.!?:][)\"]?(?:\\f[PBI])?[)]?)\s+(?=[A-Z0-9\\(*])", r"\1\n", inline(text))
    for sentence in text.split("\n"):
        for line in textwrap.wrap(sentence, WIDTH, break_on_hyphens=False,
                                  break_long_words=False):
            yield "\\&" + line if line[:1] in ".'" else line


def item(heading):
    """`timers rfc9776|rfc3376` -> .It Ic timers Cm rfc9776 | rfc3376"""
    name, *arguments = heading.strip("`").split()
    words = [f".It Ic {name}"]
    for argument in arguments:
        alternatives = []
        for word in argument.split("|"):
            alternatives.append(("Cm " if word.islower() else "Ar ") + word)
        words.append(" | ".join(alternatives))
    return " ".join(words)


class Writer:
    """Blocks of Markdown to lines of mdoc."""

    def __init__(self):
        self.lines = []
        self.in_items = False   # a list of keywords is open
        self.fresh = True       # nothing since the last heading or item

    def end_items(self):
        if self.in_items:
            self.lines.append(".El")
        self.in_items = False

    def heading(self, text):
        if not self.in_items:
            self.lines.append(".Bl -tag -width Ds")
            self.in_items = True
        self.lines.append(item(text))
        self.fresh = True

    def paragraph(self, text):
        if not self.fresh:
            self.lines.append(".Pp")
        self.lines += sentences(text)
        self.fresh = False

    def literal(self, lines):
        # a display begins with a blank line of its own
        self.lines += [".Bd -literal -offset indent"]
        for line in lines:
            line = escape(line).replace("-", "\\-").replace("'", "\\(aq")
            self.lines.append("\\&" + line if line[:1] in ".'" else line)
        self.lines.append(".Ed")
        self.fresh = False

    def bullets(self, texts):
        self.lines.append(".Bl -bullet -width Ds")
        for text in texts:
            self.lines.append(".It")
            self.lines += sentences(text)
        self.lines.append(".El")
        self.fresh = False

    def table(self, rows):
        head, *rows = rows
        self.lines.append(".Bl -tag -width Ds")
        for row in rows:
            self.lines.append(".It " + inline(row[0]))
            rest = [f"{name}: {cell}" for name, cell in zip(head[1:], row[1:])]
            self.lines += sentences(".  ".join(rest) + ".")
        self.lines.append(".El")
        self.fresh = False


def cells(line):
    return [c.strip().replace("\0", "|")
            for c in line.replace("\\|", "\0").strip().strip("|").split("|")]


def blocks(lines):
    """(kind, content) of each block."""
    i = 0
    while i < len(lines):
        line = lines[i]
        if not line.strip():
            i += 1
        elif line.startswith("### "):
            yield "heading", line[4:]
            i += 1
        elif line.startswith("    "):
            start = i
            while i < len(lines) and (lines[i].startswith("    ") or not lines[i].strip()):
                i += 1
            text = "\n".join(s[4:] for s in lines[start:i]).rstrip()
            yield "literal", text.split("\n")
        elif line.startswith("|"):
            start = i
            while i < len(lines) and lines[i].startswith("|"):
                i += 1
            rows = [cells(s) for s in lines[start:i]]
            yield "table", [rows[0]] + rows[2:]
        elif re.match(r"[-*] ", line):
            texts = []
            while i < len(lines) and re.match(r"[-*] |  \S", lines[i]):
                if lines[i].startswith("  "):
                    texts[-1] += " " + lines[i].strip()
                else:
                    texts.append(lines[i][2:].strip())
                i += 1
            yield "bullets", texts
        else:
            start = i
            while i < len(lines) and lines[i].strip() and \
                    not re.match(r"#|\||[-*] |    ", lines[i]):
                i += 1
            yield "paragraph", " ".join(s.strip() for s in lines[start:i])


def convert(lines):
    w = Writer()
    for kind, content in blocks(lines):
        getattr(w, kind)(content)
    w.end_items()
    return w.lines


def sections(text):
    """{title: lines} of the headings of the second level; "" has the lines before them."""
    found, title = {"": []}, ""
    for line in text.split("\n"):
        if line.startswith("## "):
            title = line[3:].strip()
            found[title] = []
        elif not line.startswith("# "):
            found[title].append(line)
    return found


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 1
    with open(sys.argv[1], encoding="utf-8") as f:
        found = sections(f.read())
    used = set()
    with open(sys.argv[2], encoding="utf-8") as f:
        for line in f.read().rstrip("\n").split("\n"):
            m = re.fullmatch(r"@SECTION ?(.*)@", line)
            if not m:
                print(line)
                continue
            used.add(m[1])
            print("\n".join(convert(found[m[1]])))
    left_out = set(found) - used
    if left_out:
        print("conf5.py: the manual page lacks " + ", ".join(sorted(left_out)),
              file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
