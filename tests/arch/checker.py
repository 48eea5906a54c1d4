# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line that the checks of this folder have in common."""

import sys


def run(usage, check, self_test, what="files"):
    """Call check(root), which returns how many things it has seen and a list of problems, or
    self_test(). Ends the program: with status 1 if there are problems, or if nothing was seen."""
    if len(sys.argv) != 2:
        print(usage, file=sys.stderr)
        sys.exit(1)
    if sys.argv[1] == "--self-test":
        sys.exit(self_test())
    n, problems = check(sys.argv[1])
    print("\n".join(problems))
    print(f"{n} {what}, {len(problems)} problems")
    sys.exit(1 if problems or n == 0 else 0)
