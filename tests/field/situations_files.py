# SPDX-License-Identifier: GPL-2.0-or-later
"""Unchanged files from the field. With each, a box must get its picture."""

from libfield import situation


def file_situation(title, config, no=None):
    @situation(title, no)
    def run(f):
        f.home()
        f.start(config)
        f.picture(f.box())
    return run


file_situation("K21 short prefixes: altnet 10.0/8 and 0/0", """quickleave
phyint wan upstream ratelimit 0 threshold 1
altnet 10.0/8
altnet 0/0
phyint lan1 downstream ratelimit 0 threshold 1
""")
file_situation("K27 values out of range that have no effect, octal numbers", """quickleave
hashtablesize 1024b
phyint wan upstream ratelimit 10000000000 threshold 1
altnet 010.000.000.000/5
altnet 10.0.000.0/24
phyint lan1 downstream
""")
file_situation("K28 the loopback is a downstream by mistake", """quickleave
phyint wan upstream altnet 0.0.0.0/0
phyint lo downstream
phyint lan1 downstream
""")
file_situation("K30 the alias of a LAN is disabled", """quickleave
phyint wan upstream altnet 0.0.0.0/0
phyint lan1 downstream
phyint lan1:0 disabled
""")
file_situation("K31 CR and LF at the ends of lines, tabs",
               b"quickleave\r\nphyint\twan\tupstream\r\n\taltnet 0.0.0.0/0\r\n"
               b"phyint\tlan1\tdownstream\r\n")
file_situation("everything on one line", "quickleave phyint wan upstream altnet 0.0.0.0/0 "
               "phyint lan1 downstream threshold 1 phyint lan9 disabled\n")
file_situation("interfaces that do not exist, next to some that do (K23)", """quickleave
phyint wan upstream altnet 0.0.0.0/0
phyint lan1 downstream
phyint igb0 downstream
phyint ppp7 disabled
""")
file_situation("an altnet of groups (K29), host bits, semicolons", """quickleave
phyint wan upstream ratelimit 0 threshold 1
altnet 10.0.0.7/24;
altnet 239.0.0.0/8;
phyint lan1 downstream ratelimit 0 threshold 1
altnet 10.0.1.0/24;
""")
file_situation("defaultdown without a LAN by name", """quickleave
defaultdown
phyint wan upstream altnet 0.0.0.0/0
""")
file_situation("the upstream named twice", """quickleave
phyint wan upstream altnet 0.0.0.0/0
phyint lan1 downstream
phyint wan disabled
""")
file_situation("two upstreams (K35)", """quickleave
phyint wan upstream altnet 0.0.0.0/0
phyint lan2 upstream altnet 0.0.0.0/0
phyint lan1 downstream
""")
