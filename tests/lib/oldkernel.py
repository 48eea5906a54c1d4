# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes system calls fail, by seccomp, as an older or restricted kernel would.

Daemon(..., preexec=functools.partial(oldkernel.refuse, "no super-frames")) starts a daemon on such
a kernel. This needs CAP_SYS_ADMIN, which a new user namespace gives. The filter sees the arguments
as numbers, not the memory that pointers refer to."""

import ctypes
import errno
import platform
import struct

_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7, "riscv64": 0xC00000F3}
_SETSOCKOPT = 54 if platform.machine() == "x86_64" else 208
_IO_URING = range(425, 428)
_LANDLOCK = range(444, 447)
_SECCOMP = 317 if platform.machine() == "x86_64" else 277
_SOL_PACKET = 263


def _option(number, error, length=None):
    """setsockopt(fd, SOL_PACKET, number, ..., length)"""
    args = {1: _SOL_PACKET, 2: number}
    if length is not None:
        args[4] = length
    return (_SETSOCKOPT, args, error)


# name -> (system call, {argument: value}, error)
REFUSALS = {
    "io_uring unknown": [(nr, {}, errno.ENOSYS) for nr in _IO_URING],
    "io_uring forbidden": [(nr, {}, errno.EPERM) for nr in _IO_URING],
    # IORING_REGISTER_RESTRICTIONS is of Linux 5.10
    "io_uring unrestricted": [(427, {1: 11}, errno.EINVAL)],
    "confinement forbidden": [(nr, {}, errno.EPERM) for nr in (_SECCOMP, *_LANDLOCK)],
    # PACKET_VNET_HDR_SZ is of Linux 6.4, PACKET_IGNORE_OUTGOING of 4.20
    "no super-frames": [_option(24, errno.ENOPROTOOPT)],
    "no vnet header": [_option(24, errno.ENOPROTOOPT), _option(15, errno.EINVAL)],
    "no ignore-outgoing": [_option(23, errno.ENOPROTOOPT)],
    "no fanout": [_option(18, errno.ENOPROTOOPT)],
    # PACKET_RX_RING with the request of TPACKET_V3, which is longer
    "no tpacket_v3": [_option(5, errno.EINVAL, 28)],
}

_LOAD, _JEQ, _RET = 0x20, 0x15, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000


def _rule(number, args, error):
    """Returns instructions that refuse the call; any other call continues after them."""
    tests = [(0, number)] + [(16 + 8 * i, value & 0xFFFFFFFF) for i, value in args.items()]
    code = []
    for n, (offset, value) in enumerate(tests):
        past_the_end = 2 * (len(tests) - n - 1) + 1
        code += [(_LOAD, 0, 0, offset), (_JEQ, 0, past_the_end, value)]
    return code + [(_RET, 0, 0, _ERRNO | error)]


def refuse(*names):
    """For preexec: from now on these calls fail, for good."""
    rules = [rule for name in names for rule in REFUSALS[name]]
    code = [(_LOAD, 0, 0, 4), (_JEQ, 1, 0, _ARCH[platform.machine()]), (_RET, 0, 0, _ALLOW)]
    for rule in rules:
        code += _rule(*rule)
    code.append((_RET, 0, 0, _ALLOW))
    program = b"".join(struct.pack("=HBBI", *i) for i in code)
    buf = ctypes.create_string_buffer(program)
    fprog = struct.pack("@HP", len(code), ctypes.addressof(buf))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(22, 2, fprog, 0, 0):  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
        raise OSError(ctypes.get_errno(), "seccomp filter refused")
