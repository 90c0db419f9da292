"""The system calls a submission may make, as data: an allow-list that a Python service or job gets along with.

Nothing here knows a machine or a format, so one policy serves every engine: `compile` makes the kernel's filter of
it, and a container engine's profile is another rendering. The rules, in the order in which they bind:

1. A call made for another architecture (32-bit `int 0x80`, x32) kills the process: those tables have doors of
   their own, `socketcall` for one, that a filter for the native table never sees.
2. A call newer than `NEWEST` answers ENOSYS, as an older kernel would, so that the C library falls back.
3. A call of `ABSENT` answers ENOSYS too.
4. A call that a rule allows goes through. Where the rule looks at arguments, it names the good values: a list of
   bad ones is beaten by a value that the kernel truncates before it looks.
5. Everything else answers EPERM.

A filter sees registers, never memory. What a pointer leads to (`clone3`, `sched_setattr`) cannot be judged, so such
calls are not allowed at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass

NEWEST = 450
"""The newest call that was looked at, `set_mempolicy_home_node`. From 424 on the architectures share the numbers."""

ABSENT = ("clone3",)
"""Its flags are behind a pointer; on ENOSYS the C library uses `clone`, whose flags can be read."""


@dataclass(frozen=True, slots=True)
class Argument:
    """The condition `argument[index] & mask == value`."""

    index: int
    value: int
    mask: int = 0xFFFF_FFFF_FFFF_FFFF


@dataclass(frozen=True, slots=True)
class Rule:
    """`call` is allowed when all conditions hold. Several rules for one call: any of them suffices."""

    call: str
    arguments: tuple[Argument, ...] = ()


_32_BITS = 0xFFFF_FFFF
"""For arguments that the kernel reads as an int, whatever stands above them in the register."""

_FILES = """
    access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
    fallocate fchdir fchmod fchmodat fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fremovexattr
    fsetxattr fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr inotify_add_watch
    inotify_init inotify_init1 inotify_rm_watch lchown lgetxattr link linkat listxattr llistxattr lremovexattr lseek
    lsetxattr lstat memfd_create mkdir mkdirat newfstatat open openat openat2 pread64 preadv preadv2 pwrite64
    pwritev pwritev2 read readahead readlink readlinkat readv removexattr rename renameat renameat2 rmdir sendfile
    setxattr stat statfs statx symlink symlinkat sync_file_range truncate umask unlink unlinkat utime utimensat
    utimes write writev
"""
"""Not here: `sync` and `syncfs` (they flush the host's disks), `splice`, `tee` and `vmsplice` (pages of files that
others read have been written through them), handles (`open_by_handle_at`), mounts, `quotactl`, `fanotify_*`."""

_MEMORY = """
    brk get_mempolicy madvise membarrier mincore mmap mprotect mremap msync munmap
"""
"""Not here: `mlock*` (takes memory from the neighbours), `userfaultfd`, `process_madvise`, `memfd_secret`, `mbind`
and `move_pages`, `remap_file_pages`."""

_PROCESSES = """
    alarm arch_prctl capget capset execve execveat exit exit_group fork futex futex_waitv get_robust_list
    get_thread_area getcpu getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority getresgid
    getresuid getrlimit getrusage getsid gettid getuid ioprio_get kill pause pidfd_open pidfd_send_signal prctl
    restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
    rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min
    sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity
    sched_setparam sched_yield set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid setgroups
    setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid sigaltstack signalfd
    signalfd4 tgkill times tkill uname vfork wait4 waitid
"""
"""Not here: whatever looks into another process (`ptrace`, `process_vm_*`, `pidfd_getfd`, `kcmp`), namespaces
(`unshare`, `setns`), `sched_setattr`, `modify_ldt`, `seccomp`."""

_TIME = """
    clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer time timer_create
    timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime
"""
"""Not here: whatever sets a clock."""

_WAITING = """
    epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
    eventfd2 poll ppoll pselect6 select
"""
"""Not here: `io_uring_*`, which makes sockets and opens files without a system call for each, and `io_submit`."""

_SOCKETS = """
    accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg sendmsg
    sendto setsockopt shutdown
"""
"""Which sockets there are to use these on is in `_sockets`."""

_OTHER = "getrandom pipe pipe2 sysinfo"
"""Not here: kernel interfaces that a service has no use for: `bpf`, `perf_event_open`, keys, modules, `kexec_*`,
`syslog`, message queues, and System V's queues, semaphores and shared memory."""


def rules() -> Iterator[Rule]:
    """Every rule, in a fixed order."""
    for names in (_FILES, _MEMORY, _PROCESSES, _TIME, _WAITING, _SOCKETS, _OTHER):
        yield from (Rule(name) for name in names.split())
    yield from _sockets()
    yield from _terminals_and_devices()
    yield from _processes()
    yield from _special_files()


_UNIX, _INET, _INET6 = 1, 2, 10
_STREAM, _DATAGRAM, _TYPE_BITS = 1, 2, 0xF
_ANY_PROTOCOL, _TCP, _UDP = 0, 6, 17


def _sockets() -> Iterator[Rule]:
    """UNIX, TCP and UDP. Not VSOCK, which leads to the hypervisor past every network namespace, nor kernel crypto
    (ALG), netlink, packet and raw sockets, nor the rarer protocols, which the kernel would load a module for."""
    yield Rule("socket", (Argument(0, _UNIX),))
    yield Rule("socketpair", (Argument(0, _UNIX),))
    for family in (_INET, _INET6):
        for kind in (_STREAM, _DATAGRAM):
            for protocol in (_ANY_PROTOCOL, _TCP, _UDP):
                yield Rule("socket", (Argument(0, family), Argument(1, kind, _TYPE_BITS), Argument(2, protocol)))


_REQUESTS = {
    "TCGETS TCSETS TCSETSW TCSETSF": (0x5401, 0x5402, 0x5403, 0x5404),
    "TCSBRK TCXONC TCFLSH TCSBRKP": (0x5409, 0x540A, 0x540B, 0x5425),
    "TIOCSCTTY TIOCNOTTY TIOCGSID": (0x540E, 0x5422, 0x5429),
    "TIOCGPGRP TIOCSPGRP": (0x540F, 0x5410),
    "TIOCGWINSZ TIOCSWINSZ": (0x5413, 0x5414),
    "TIOCOUTQ FIONREAD": (0x5411, 0x541B),
    "TIOCGPTN TIOCSPTLCK TIOCGPTPEER": (0x8004_5430, 0x4004_5431, 0x5441),
    "FIONBIO FIOASYNC FIOCLEX FIONCLEX": (0x5421, 0x5452, 0x5451, 0x5450),
    "SIOCGIFNAME SIOCGIFINDEX SIOCGIFCONF": (0x8910, 0x8933, 0x8912),
    "SIOCGIFFLAGS SIOCGIFADDR SIOCGIFNETMASK SIOCGIFMTU": (0x8913, 0x8915, 0x891B, 0x8921),
    "FICLONE FICLONERANGE": (0x4004_9409, 0x4020_940D),
}
"""The device requests a Python program makes. Not here: TIOCSTI and TIOCLINUX, which type into the terminal that
the engine was started from."""


def _terminals_and_devices() -> Iterator[Rule]:
    for numbers in _REQUESTS.values():
        yield from (Rule("ioctl", (Argument(1, number, _32_BITS),)) for number in numbers)


_NEW_NAMESPACES = 0x7E02_0000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""
_NORMAL, _BATCH, _IDLE, _RESET_ON_FORK = 0, 3, 5, 0x4000_0000
_LINUX, _ASK = 0, 0xFFFF_FFFF
_ITSELF = 0


def _processes() -> Iterator[Rule]:
    """Threads and processes, without namespaces; no real-time scheduling; no weaker address space layout; limits of
    oneself only: with process 1's a submission could have the kernel end its whole sandbox in our name."""
    yield Rule("clone", (Argument(0, 0, _NEW_NAMESPACES),))
    for scheduling in (_NORMAL, _BATCH, _IDLE):
        yield Rule("sched_setscheduler", (Argument(1, scheduling, _32_BITS ^ _RESET_ON_FORK),))
    yield Rule("prlimit64", (Argument(0, _ITSELF, _32_BITS),))
    for persona in (_LINUX, _ASK):
        yield Rule("personality", (Argument(0, persona, _32_BITS),))


_FORMAT_BITS, _UNSPECIFIED, _REGULAR, _PIPE, _SOCKET = 0o170000, 0, 0o100000, 0o010000, 0o140000


def _special_files() -> Iterator[Rule]:
    """Named pipes and sockets, no devices."""
    for file_format in (_UNSPECIFIED, _REGULAR, _PIPE, _SOCKET):
        yield Rule("mknod", (Argument(1, file_format, _FORMAT_BITS),))
        yield Rule("mknodat", (Argument(2, file_format, _FORMAT_BITS),))
