# SPDX-License-Identifier: GPL-2.0-or-later
"""Does the work of tools/analyse: runs gcc -fanalyzer, clang --analyze and cppcheck over the
sources of the programs, and compares their findings with tools/lib/analyse.suppress.

A finding belongs to a function. A line of the suppressions names tool, file, function and check,
never a line number, so that it survives edits elsewhere. A line that matches nothing is an error,
because it would hide the next true finding. This applies only to the versions that the head of the
list names. A tool with a version, such as cppcheck-2.17, means only that version.

First, each analyzer gets a small program with three faults. It has failed if it does not find
those that it can find, or reports them in a form that this script cannot read.

One kind of finding is ignored without a list: clang 14 and cppcheck do not know the attribute
cleanup, so they report leaks of variables that are declared with _cleanup_. The analyzer of gcc
knows the attribute and still looks for leaks there. """

import argparse
import concurrent.futures
import json
import os
import plistlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree
from dataclasses import dataclass, field

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUPPRESSIONS = os.path.join(ROOT, "tools", "lib", "analyse.suppress")
FOLDERS = ("src/", "tools/", "bench/")
# in addition to the default ones (core, unix, deadcode, security, nullability)
CHECKERS = ("security.FloatLoopCounter", "security.insecureAPI.rand", "optin.portability.UnixAPI", "nullability.NullableDereferenced",
            "nullability.NullablePassedToNonnull")
# States that clang follows in a function, in a whole and in a quick analysis, which takes less
# than half of the time. 225000 is clang's default.
CLANG_NODES = {False: 225000, True: 90000}
# Replaces what cppcheck would need from system headers. It cannot read those, because it stops
# where they require a certain compiler.
MACROS = {"json_array_foreach(a,i,v)": "for (i = 0; i < json_array_size(a) && "
                                       "(v = json_array_get(a, i)); i++)",
          "json_object_foreach(o,k,v)": "for (k = first(o); k && (v = value(o, k)); k = next(k))",
          "cds_list_for_each(p,head)": "for (p = (head)->next; p != (head); p = p->next)",
          "cds_list_for_each_safe(p,n,head)": "for (p = (head)->next, n = p->next; p != (head); "
                                              "p = n, n = p->next)",
          "LIBBPF_OPTS(type,name,...)": "struct type name = {__VA_ARGS__}"}
# checks that find no faults in this code, and why
STYLE = (
    # declarations are at the beginning of a block, as the coding style requires
    "variableScope",
    # cppcheck 2.17 wants const for every pointer that nothing is written through, including those
    # that _cleanup_ frees and parameters whose type a callback or a family of functions
    # prescribes. The compiler checks const where it is used.
    "constVariablePointer", "constParameterPointer", "constParameterCallback",
    # cppcheck 2.17 does not know that die_if() or `copy && ...` has excluded NULL. gcc follows
    # failed allocations (-Wanalyzer-possible-null-dereference).
    "nullPointerOutOfMemory", "nullPointerArithmeticOutOfMemory", "ctunullpointerOutOfMemory",
    "nullPointerOutOfResources", "ctunullpointerOutOfResources",
    # a message about the analysis, not about a line
    "normalCheckLevelMaxBranches",
)

# the program with faults: memory is released twice, once by a function of another file, and a word
# has no room for its NUL
CANARY = {
    "canary.h": "#include <stdlib.h>\nstatic inline void release(void *p) { free(p); }\n",
    "canary.c": "#include \"canary.h\"\n"
                "static void far(void *p) { release(p); release(p); }\n"
                "static void near(void *p) { free(p); free(p); }\n"
                "static const char word[2] = \"ab\";\n"
                "int main(int n, char **v) { (n > 1 ? far : near)(malloc(1)); return word[1]; }\n",
}
# so many of these faults each analyzer finds: clang knows no words without room for their NUL, and
# cppcheck does not follow calls either
CANARY_FAULTS = {"gcc": 3, "clang": 2, "cppcheck": 1}


@dataclass
class Finding:
    tool: str
    file: str
    line: int
    check: str
    text: str
    steps: list = field(default_factory=list)

    def key(self):
        return self.tool, self.file, self.line, self.check, self.text

    def place(self):
        """Returns the (file, function) of the finding; for an inline function, those of its
        caller."""
        if self.file.endswith(".h"):
            for step in reversed(self.steps):
                file, line, _ = step.split(":", 2)
                if file.endswith(".c"):
                    return file, enclosing(file, int(line))[0]
        return self.file, enclosing(self.file, self.line)[0]

    def __str__(self):
        where = self.place()[1]
        head = f"{self.file}:{self.line}: {self.tool} {self.check}: {self.text} [{where}]"
        return "\n".join([head] + ["    " + s for s in self.steps])


class Failure(Exception):
    """An analyzer did not do its work; the text gives the reason."""


# ---- the sources ----

def relative(folder, path):
    """Returns the path relative to ROOT."""
    return os.path.relpath(os.path.join(folder, path), ROOT)


_lines = {}


def lines_of(file):
    if file not in _lines:
        with open(os.path.join(ROOT, file), encoding="utf-8") as f:
            _lines[file] = f.read().splitlines()
    return _lines[file]


def enclosing(file, line):
    """Returns the (name, text) of the function around a line, or ("-", ""). Its name and its
    braces must begin in the first column."""
    lines = lines_of(file)
    end = line - 1
    while end < len(lines) and lines[end] != "}":
        end += 1
    start = line - 1
    while start >= 0 and lines[start] != "{":
        if start < line - 1 and lines[start].startswith("}"):
            return "-", ""
        start -= 1
    if start < 0:
        return "-", ""
    head = start - 1
    while head > 0 and lines[head][:1] in ("\t", " "):
        head -= 1
    name = re.search(r"(\w+)\(", " ".join(lines[max(head, 0):start]))
    return (name[1] if name else "-"), "\n".join(lines[max(head, 0):end + 1])


def cleaned_up(finding):
    """Returns whether this is the leak of a variable that its attribute frees."""
    leak = re.search(r"(?:leak of memory pointed to by '|Memory leak: )(\w+)", finding.text)
    if finding.tool == "gcc" or not leak:
        return False
    body = enclosing(finding.file, finding.line)[1]
    return re.search(rf"_cleanup_\(\w+\)[^;]*\b{leak[1]}\b", body) is not None


# ---- the build ----

def compile_commands():
    """Returns (folder, entries) of the files to analyse, each file once."""
    folder = os.environ.get("RINGCAST_BUILD", os.path.join(ROOT, "build", "gcc"))
    if not os.path.exists(os.path.join(folder, "compile_commands.json")):
        folder = os.path.join(ROOT, "build", "analyse")
        if not os.path.exists(os.path.join(folder, "compile_commands.json")):
            r = subprocess.run(["meson", "setup", "-Dbuildtype=debug", folder, ROOT],
                               check=False, capture_output=True, text=True)
            if r.returncode:
                sys.exit(r.stdout + r.stderr)
    with open(os.path.join(folder, "compile_commands.json"), encoding="utf-8") as f:
        entries = json.load(f)
    files = {}
    for entry in entries:
        file = relative(folder, entry["file"])
        if file.startswith(FOLDERS):
            files.setdefault(file, entry)
    return folder, [files[f] for f in sorted(files)]


def flags(entry):
    """Returns the compiler's arguments that an analyzer needs. The build is for debugging, so
    assertions are compiled in."""
    args = shlex.split(entry["command"])
    out = [a for a in args if a.startswith(("-I", "-D", "-std="))]
    return out + [x for i, a in enumerate(args[:-1]) if a == "-isystem"
                  for x in (a, args[i + 1])]


def run(cmd, folder):
    return subprocess.run(cmd, cwd=folder, check=False, capture_output=True, text=True)


# ---- gcc ----

def gcc_place(folder, location):
    caret = location.get("caret", location)
    return relative(folder, caret["file"]), caret["line"]


def gcc_steps(folder, diagnostic):
    steps = []
    for event in diagnostic.get("path", []):
        if "location" not in event:
            continue
        file, line = gcc_place(folder, event["location"])
        steps.append(f"{file}:{line}: {event['description']}")
    return steps


def gcc(folder, entry, scratch, _quick):
    # if this were /dev/null, the assembler, run as root, would replace it with a file
    out = os.path.join(scratch, entry["output"].replace("/", "_") + ".o")
    r = run(["gcc", "-fanalyzer", "-Wc++-compat", "-fdiagnostics-format=json", *flags(entry),
             "-c", "-o", out, entry["file"]], folder)
    try:
        said = json.loads(r.stderr or "[]")
    except json.JSONDecodeError:
        raise Failure(f"{entry['file']}: {r.stderr[-2000:]}") from None
    if r.returncode:
        raise Failure(f"{entry['file']}: " + "; ".join(d["message"] for d in said))
    found = []
    for d in said:
        # of what C++ refuses, only a word without room for its NUL is a fault in C
        if d["kind"] == "note" or (d.get("option") == "-Wc++-compat" and
                                   "too long for C++" not in d["message"]):
            continue
        file, line = gcc_place(folder, d["locations"][0])
        found.append(Finding("gcc", file, line, d.get("option", d["kind"]), d["message"],
                             gcc_steps(folder, d)))
    return found


# ---- clang ----

def clang_steps(folder, files, diagnostic):
    steps = []
    for event in diagnostic["path"]:
        if event["kind"] == "event":
            place = event["location"]
            steps.append(f"{relative(folder, files[place['file']])}:{place['line']}: "
                         f"{event['message']}")
    return steps


def clang(folder, entry, scratch, quick):
    out = os.path.join(scratch, entry["output"].replace("/", "_") + ".plist")
    r = run(["clang", "--analyze", "--analyzer-output", "plist-multi-file", "-Xclang",
             "-analyzer-checker=" + ",".join(CHECKERS), "-Xclang", "-analyzer-config", "-Xclang",
             f"max-nodes={CLANG_NODES[quick]}", *flags(entry), "-o", out, entry["file"]], folder)
    if r.returncode or not os.path.exists(out):
        raise Failure(f"{entry['file']}: {r.stderr[-2000:]}")
    with open(out, "rb") as f:
        report = plistlib.load(f)
    os.unlink(out)
    found = []
    for d in report["diagnostics"]:
        file = relative(folder, report["files"][d["location"]["file"]])
        found.append(Finding("clang", file, d["location"]["line"], d["check_name"],
                             d["description"], clang_steps(folder, report["files"], d)))
    return found


# ---- cppcheck ----

def without_system_headers(entry):
    args = [a for a in shlex.split(entry["command"]) if not a.startswith("-I/usr/")]
    return dict(entry, command=shlex.join(args))


def cppcheck(folder, entries, jobs):
    """Run cppcheck, which takes the list of files and distributes it over the processors."""
    with tempfile.TemporaryDirectory() as scratch:
        project = os.path.join(scratch, "compile_commands.json")
        with open(project, "w", encoding="utf-8") as f:
            json.dump([without_system_headers(e) for e in entries], f)
        library = xml.etree.ElementTree.Element("def", format="2")
        for name, value in MACROS.items():
            xml.etree.ElementTree.SubElement(library, "define", name=name, value=value)
        macros = os.path.join(scratch, "macros.cfg")
        xml.etree.ElementTree.ElementTree(library).write(macros)
        r = run(["cppcheck", "-q", f"-j{jobs}", "--xml", "--project=" + project,
                 "--library=" + macros, "--enable=warning,style,performance,portability",
                 *(f"--suppress={s}" for s in STYLE)], folder)
    if r.returncode:
        raise Failure(r.stdout + r.stderr[-2000:])
    found = []
    for error in xml.etree.ElementTree.fromstring(r.stderr).iter("error"):
        places = error.findall("location")
        file = relative(folder, places[0].get("file")) if places else None
        if not places or places[0].get("file").startswith("/usr/"):
            raise Failure(f"{places[0].get('file') if places else ''}: {error.get('msg')}")
        steps = [f"{relative(folder, p.get('file'))}:{p.get('line')}: {p.get('info')}"
                 for p in reversed(places) if p.get("info")]
        found.append(Finding("cppcheck", file, int(places[0].get("line")),
                             error.get("id"), error.get("msg"), steps))
    return found


# ---- the suppressions ----

@dataclass
class Reason:
    number: int
    tool: str
    file: str
    function: str
    check: str
    version: str = ""   # if set, only this version finds it
    used: bool = False

    def matches(self, finding):
        return (self.tool, self.check) == (finding.tool, finding.check) and \
            (self.file, self.function) == finding.place()


def read_reasons(path):
    """Returns (reasons, {tool: version that the list was made with})."""
    reasons, versions = [], {}
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if m := re.match(r"# made with (\w+) (\S+)", line):
                versions[m[1]] = m[2]
            if not line.strip() or line.startswith("#"):
                continue
            words = line.split(None, 4)
            if len(words) < 5:
                sys.exit(f"{path}:{number}: tool, file, function, check and a reason")
            tool, _, only = words[0].partition("-")
            reasons.append(Reason(number, tool, *words[1:4], only))
    return reasons, versions


def version(tool):
    out = subprocess.run([tool, "--version"], check=False, capture_output=True, text=True)
    m = re.search(r"(\d+)\.(\d+)", out.stdout)
    if not m:
        return "?"
    return m[0] if tool == "cppcheck" else m[1]


# ---- all ----

def sing(tool):
    """Check that the analyzer finds the known faults; raises Failure if not."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in CANARY.items():
            with open(os.path.join(folder, name), "w", encoding="ascii") as f:
                f.write(text)
        entry = {"directory": folder, "file": "canary.c", "output": "canary.o",
                 "command": "cc -c canary.c"}
        found = search(tool, folder, [entry], 1, True)
    if len(found) < CANARY_FAULTS[tool]:
        raise Failure(f"finds {len(found)} of {CANARY_FAULTS[tool]} known faults")


def search(tool, folder, entries, jobs, quick):
    """Returns each finding once, even if several files contain it."""
    if tool == "cppcheck":
        found = cppcheck(folder, entries, jobs)
    else:
        one = {"gcc": gcc, "clang": clang}[tool]
        with tempfile.TemporaryDirectory() as scratch, \
                concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            parts = pool.map(lambda entry: one(folder, entry, scratch, quick), entries)
            found = [f for part in parts for f in part]
    return sorted({f.key(): f for f in found}.values(), key=Finding.key)


def report(tool, found, reasons, strict, quick):
    """Print findings without a reason; returns (findings, stale reasons, explained). A reason
    applies to all versions or only to this one; one that applies only to this version must match a
    finding, except in a quick analysis, which finds less."""
    n_found = n_explained = n_stale = 0
    for f in found:
        hits = [r for r in reasons if r.matches(f)]
        for r in hits:
            r.used = True
        if hits or cleaned_up(f):
            n_explained += 1
        else:
            n_found += 1
            print(f, flush=True)
    for r in reasons:
        if r.tool == tool and not r.used:
            wrong = (strict or r.version != "") and not quick
            n_stale += wrong
            why = "" if wrong else " (a quick analysis)" if quick else " (another version)"
            print(f"{os.path.relpath(SUPPRESSIONS, ROOT)}:{r.number}: {tool} finds nothing "
                  f"that this explains{why}")
    return n_found, n_stale, n_explained


def one_tool(tool, folder, entries, args, known):
    """Returns (its part of the last line, ok). ok is None if the tool is not installed."""
    reasons, versions = known
    start = time.monotonic()
    if not shutil.which(tool):
        print(f"SKIP {tool}: not installed")
        return f"{tool} not installed", None
    try:
        sing(tool)
        found = search(tool, folder, entries, args.jobs, args.quick)
    except Failure as e:
        print(f"{tool}: {e}")
        return f"{tool} failed", False
    here = version(tool)
    n, stale, explained = report(tool, found, [r for r in reasons if r.version in ("", here)],
                                 versions.get(tool) == here, args.quick and tool == "clang")
    print(f"{tool} {version(tool)}: {len(entries)} files, {n} findings, {explained} explained, "
          f"{stale} explanations without a finding, {time.monotonic() - start:.0f} s", flush=True)
    return f"{tool} {n + stale} findings", n + stale == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=["gcc", "clang", "cppcheck"])
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    folder, entries = compile_commands()
    if not entries:
        sys.exit(f"{folder}: no sources in compile_commands.json")
    known = read_reasons(SUPPRESSIONS)
    tools = [args.only] if args.only else ["gcc", "clang", "cppcheck"]
    results = [one_tool(t, folder, entries, args, known) for t in tools]
    print("analysis: " + ", ".join(text for text, _ in results))
    if any(ok is False for _, ok in results):
        return 1
    return 0 if any(ok for _, ok in results) else 77


if __name__ == "__main__":
    sys.exit(main())
