#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual pages agree with the programs: options with --help, commands with the list of
ringcastctl, keywords, ranges and defaults with the parser's table. Anything undocumented fails
here."""

import os
import re
import subprocess

from libservice import BUILD, ROOT, case, main, need, program, run, temporary, text_of

MAN = os.path.join(ROOT, "doc", "man")
CONF5 = os.path.join(BUILD, "doc", "man", "ringcast.conf.5")
PAGES = {"ringcastd": "ringcastd.8", "ringcastctl": "ringcastctl.8",
         "ringcast-gen": "ringcast-gen.1", "ringcast-replay": "ringcast-replay.1"}
HELP = {"ringcastd": "--help", "ringcastctl": "--help", "ringcast-gen": "--help",
        "ringcast-replay": "-h"}
OPTION = r"(?<![\w-])--?[A-Za-z0-9][A-Za-z0-9-]*"


def page(name):
    return text_of(MAN, PAGES[name])


def plain(text):
    """Returns the text without roff's macros and escapes, on one line."""
    text = re.sub(r"\\f[A-Z]|\\&", "", text).replace("\\-", "-").replace("\\(aq", "'")
    text = re.sub(r"^\.[A-Z][a-z] ?", "", text, flags=re.M)
    return " ".join(text.split())


# ---- options ----

def options_of_help(text):
    """Returns the options at the beginning of lines; explanations may mention others."""
    found = set()
    for line in re.findall(r"^\s+(-.*)$", text, re.M):
        for column in re.split(r" {2,}", line):
            if not column.startswith("-"):
                break
            found.update(re.findall(OPTION, column))
    return found


def options_of_page(text):
    """Returns the options that are items of a page."""
    found = set()
    for item in re.findall(r"^\.It (Fl .*)$", text, re.M):
        for long, name in re.findall(r"\bFl (Fl )?(\w[\w-]*)", item):
            found.add(("--" if long else "-") + name)
    return found


def same(what, in_help, in_page):
    assert in_help == in_page, f"{what}: not in the manual page: " \
        f"{sorted(in_help - in_page)}; only there: {sorted(in_page - in_help)}"


def help_of(name, *command):
    """Returns the help. --help must go to standard output and succeed; a program without long
    options has -h."""
    return run(program(name), *command, "--help" if command else HELP[name])


def section(text, title):
    return re.search(rf"^\.Sh {title}\n(.*?)(?=^\.Sh |\Z)", text, re.M | re.S)[1]


@case("options of the programs are those of --help")
def options():
    for name in PAGES:
        text = page(name)
        if name == "ringcastctl":
            text = text.replace(section(text, "COMMANDS"), "")
        in_help = options_of_help(help_of(name))
        assert in_help, f"{name}: no option found in its help"
        same(name, in_help, options_of_page(text))


@case("a synopsis names every option of one letter")
def synopsis():
    for name in PAGES:
        text = section(page(name), "SYNOPSIS")
        if "Op Ar option ..." in text:
            continue
        letters = "".join(re.sub(r"\b(Ar|Ns|Op|Fl|Cm)\b", " ", line)
                          for line in text.split("\n") if "Fl " in line)
        for option in options_of_help(help_of(name)):
            assert option.startswith("--") or option[1] in letters, f"{name} {option}"


# ---- commands ----

def commands_of_help():
    """Returns {command: arguments} as ringcastctl --help lists them."""
    lines = []
    for words in ([], ["show"]):
        text = help_of("ringcastctl", *words)
        lines += re.search(r"^commands:\n(.*?)(\n\n|\n$)", text, re.M | re.S)[1].split("\n")
    found = {}
    for line in lines:
        if not re.match(r"  [a-z]", line):
            continue   # the help of a long name is on the next line
        words = re.match(r"  ((?:\S+ ?)*)", line)[1].split()
        name = []
        while words and re.fullmatch(r"[a-z-]+", words[0]):
            name.append(words.pop(0))
        found[" ".join(name)] = words
    del found["show"]   # means all commands that begin with it
    return found


def commands_of_page():
    """Returns {command: the text of its item}."""
    found, current, depth = {}, [], 0
    for line in section(page("ringcastctl"), "COMMANDS").split("\n"):
        depth += line.startswith(".Bl") - line.startswith(".El")
        item = re.match(r"\.It Cm ((?:[a-z-]+ ?)+)(.*)", line)
        if item and depth == 1:
            current = found.setdefault(item[1].strip(), [])
        else:
            current.append(line)
    return {name: "\n".join(lines) for name, lines in found.items()}


@case("commands of ringcastctl are those of --help")
def commands():
    in_help = commands_of_help()
    assert len(in_help) >= 9, in_help
    same("ringcastctl", set(in_help), set(commands_of_page()))


@case("options of the commands are those of their own --help")
def command_options():
    general, described, notes = help_of("ringcastctl"), commands_of_page(), []
    for name in commands_of_help():
        text = help_of("ringcastctl", *name.split())
        if text == general:
            continue
        own = options_of_help(text) - {"-h", "--help"}
        notes.append(f"{name}: {' '.join(sorted(own)) or 'no options'}")
        same("ringcastctl " + name, own,
             options_of_page(described[name]) - {"-h", "--help"})
    return notes


@case("exit statuses are those that the help names")
def statuses():
    for name in PAGES:
        said = re.search(r"Exit status: (.*?)\.\n", help_of(name), re.S)
        if said:
            same(name, set(re.findall(r"\b\d\b", said[1])),
                 set(re.findall(r"^\.It (\d)$", page(name), re.M)))


# ---- keywords ----

def table():
    keywords, defaults = {}, {}
    for line in run(os.path.join(BUILD, "tests", "service", "keyword_table")).splitlines():
        kind, name, *rest = line.split("\t")
        if kind == "keyword":
            keywords[name] = rest
        else:
            defaults[name] = rest[0]
    return keywords, defaults


def described_keywords():
    """Returns {keyword: (section, heading, text)}. Successive headings share a text."""
    text, found = text_of(CONF5), {}
    for title, where in (("GLOBAL KEYWORDS", "global"),
                         ("KEYWORDS OF AN INTERFACE", "interface")):
        pending = []
        for part in re.split(r"^\.It Ic ", section(text, title), flags=re.M)[1:]:
            heading, _, body = part.partition("\n")
            name, _, arguments = heading.partition(" ")
            assert name not in found, f"{name} is described twice"
            pending.append(name)
            found[name] = (where, arguments, plain(body))
            if body.strip():
                for other in pending:
                    found[other] = (where, found[other][1], plain(body))
                pending = []
    return found


@case("every keyword is described, in its section, and no other")
def keywords():
    known, _ = table()
    described = described_keywords()
    assert len(known) > 40, len(known)
    same("ringcast.conf", set(known), set(described))
    for name, (where, *_) in known.items():
        assert described[name][0] == where, f"{name} is in the section of the others"


@case("ranges and words of the keywords are those of the parser")
def ranges():
    described = described_keywords()
    for name, (_, _, low, high, words) in table()[0].items():
        _, heading, text = described[name]
        listed = set(heading.split())
        for word in words.split():
            assert word in listed, f"{name}: {word} is not in its heading"
        if low == "-" or (low, high) == ("0", "2147483647"):
            continue
        if low.isdigit() and high.isdigit() and \
                set(map(str, range(int(low), min(int(high), 9) + 1))) <= listed:
            continue   # listed one by one, as in 1|2|3
        assert f"{low} to {high}" in text, f"{name}: '{low} to {high}' is missing: {text}"


@case("defaults of the keywords are those of the parser")
def defaults():
    described = described_keywords()
    _, known = table()
    assert len(known) > 25, known
    for name, value in known.items():
        text = described[name][2]
        said = re.search(r"[Dd]efault:? ([^,;: ]*[^,;:. ])", text)
        assert said or "Accepted without effect" in text, f"{name}: no default: {text}"
        if said and said[1] not in ("the", "a") and name != "ssm-range":
            assert said[1] == value, f"{name}: {said[1]}, the parser has {value}"


@case("the examples load")
def examples():
    blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", section(text_of(CONF5), "EXAMPLES"),
                        re.M | re.S)
    assert len(blocks) >= 4
    # the installed file, with its example activated
    blocks.append(re.sub(r"^#(?=[a-z\t])", "", text_of(ROOT, "data", "ringcast.conf"),
                         flags=re.M))
    with temporary() as folder:
        path = os.path.join(folder, "ringcast.conf")
        for block in blocks:
            with open(path, "w", encoding="utf-8") as f:
                f.write(block.replace("\\-", "-").replace("\\&", ""))
            run(program("ringcastd"), "-C", path)


# ---- reasons of drops ----

@case("each reason why a frame is dropped is in the document and has words on the page")
def reasons():
    names = text_of(ROOT, "src", "dataplane", "packet", "verdict.c")
    names = re.findall(r"\[VERDICT_\w+\] = \"(\w+)\"", names)
    assert len(names) > 25
    document = text_of(ROOT, "doc", "control-socket.md")
    words = text_of(ROOT, "data", "web", "page.js").partition("const DROPS = {")[2].partition("};")[0]
    for name in names:
        assert f"`{name}`" in document, f"doc/control-socket.md lacks `{name}`"
        assert name == "forwarded" or f"\t{name}: " in words, f"DROPS in page.js lacks {name}"


# ---- form ----

@case("mandoc finds nothing")
def lint():
    mandoc = need("mandoc")
    paths = [os.path.join(MAN, name) for name in PAGES.values()] + [CONF5]
    r = subprocess.run([mandoc, "-Tlint", *paths], capture_output=True, text=True,
                       check=False)
    # ignore references to pages that are not installed here
    bad = [line for line in (r.stdout + r.stderr).splitlines()
           if not re.search(r"referenced manual not found|outdated mandoc.db", line)]
    assert not bad, "\n".join(bad)


if __name__ == "__main__":
    main()
