"""Getting out of the sandbox, or getting more rights in it: each row tries one thing, and says what the kernel said."""

import os
import platform
import re
from collections.abc import Callable

import pytest

from runner.engines.box_users import FIRST_UID

NAMESPACES_AND_MOUNTS = {
    "ESC a user namespace of its own": ("say(call('unshare', 0x10000000))", "EPERM"),
    "ESC a network namespace of its own": ("say(call('unshare', 0x40000000))", "EPERM"),
    "ESC a child in a user namespace": ("say(raw('clone', 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0))", "EPERM"),
    "ESC a child in namespaces asked for behind a pointer": (
        "say(raw(435, (0x7E020000).to_bytes(8, 'little') + bytes(80), 88))", "ENOSYS"),
    "ESC another's namespace": ("say(call('setns', os.open('/proc/self/ns/mnt', os.O_RDONLY), 0))", "EPERM"),
    "ESC a mount": ("say(call('mount', b'none', b'/tmp', b'tmpfs', 0, None))", "EPERM"),
    "ESC a mount by the newer calls": (
        "say(raw(428, -100, b'/', 1), raw(430, b'tmpfs', 0), raw(442, -100, b'', 0, b'', 0))", "EPERM"),
    "ESC taking a mount away": ("say(call('umount2', b'/submission', 2))", "EPERM"),
    "ESC another root": ("say(call('chroot', b'/tmp'), call('pivot_root', b'/tmp', b'/tmp'))", "EPERM"),
}  # fmt: skip

KERNEL = {
    "ESC a program in the kernel (bpf)": ("say(raw('bpf', 0, 0, 0))", "EPERM"),
    "ESC counters of the kernel (perf_event_open)": ("say(raw('perf_event_open', 0, 0, -1, -1, 0))", "EPERM"),
    "ESC page faults of its own (userfaultfd)": ("say(raw('userfaultfd', 0))", "EPERM"),
    "ESC keys of the kernel": ("say(raw('add_key', b'user', b'x', b'x', 1, -3), raw('keyctl', 0, -3, 1))", "EPERM"),
    "ESC a module of its own": ("say(raw('init_module', b'', 0, b''))", "EPERM"),
    "ESC another kernel": ("say(raw('kexec_load', 0, 0, 0, 0), call('reboot', 0))", "EPERM"),
    "ESC quotas, swap and accounting": (
        "say(call('quotactl', 0, None, 0, None), call('swapoff', b'/x'), call('acct', None))", "EPERM"),
    "ESC the kernel's log": ("say(call('klogctl', 3, b'x' * 99, 99))", "EPERM"),
    "ESC watching everybody's files": ("say(call('fanotify_init', 0, 0))", "EPERM"),
    "ESC rings of calls": ("say(call('syscall', 425, 4, b'x' * 256))", "EPERM"),
    "ESC pages of files that others read (splice)": ("""
        file, (_, end) = os.open("main.py", os.O_RDONLY), os.pipe()
        say(call("splice", file, None, end, None, 9, 0), call("vmsplice", end, None, 0, 0),
            call("tee", 0, end, 9, 0))""", "EPERM"),
    "ESC the name of the machine": ("say(call('sethostname', b'x', 1))", "EPERM"),
    "ESC files of the kernel": ("""
        secret = ("kcore", "kmsg", "kpagecount", "slabinfo", "vmallocinfo", "mem", "sysrq-trigger")
        say(*{attempt(open, "/proc/" + one, "rb") in ("EACCES", "EPERM", "ENOENT") for one in secret},
            *{line.split()[0].strip("0") for line in open("/proc/kallsyms")})
        if os.path.exists("/proc/modules"):
            say(*{line.split()[5].strip("0x") for line in open("/proc/modules")})""", "True"),
    "ESC sysctls": ("""
        found = [os.path.join(at, one) for at, _, names in os.walk("/proc/sys") for one in names]
        say(len(found) > 100, sum(attempt(os.open, path, os.O_WRONLY) == "done" for path in found))""", "True 0"),
    "ESC control groups": ("say(os.path.exists('/sys/fs/cgroup'), os.path.exists('/sys/kernel'))", "False"),
}  # fmt: skip

PROCESS_1 = {
    "ESC tracing process 1": ("say(call('ptrace', 16, 1, None, None))", "EPERM"),
    "ESC tracing its own child": ("say(call('ptrace', 0, 0, None, None))", "EPERM"),
    "ESC reading process 1's memory by call": ("say(call('process_vm_readv', 1, None, 0, None, 0, 0))", "EPERM"),
    "ESC writing process 1's memory": ("say(attempt(open, '/proc/1/mem', 'r+b') in ('EROFS', 'EACCES'))", "True"),
    "ESC a descriptor of process 1": ("say(call('syscall', 438, os.pidfd_open(1), 0, 0))", "EPERM"),
    "ESC comparing itself with process 1": ("say(raw('kcmp', os.getpid(), 1, 0, 0, 0))", "EPERM"),
    "ESC the end of process 1": ("""
        for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM): os.kill(1, number)
        time.sleep(0.02)
        say("alive")""", "alive"),
    "ESC every signal there is to process 1": ("""
        for number in range(1, 65): attempt(os.kill, 1, number)
        time.sleep(0.02)
        say("alive")""", "alive"),
    "ESC the program that process 1 runs": ("""
        say(*{attempt(open, f"/proc/{one}/exe", "r+b") in ("EROFS", "EACCES", "ETXTBSY") for one in ("1", "self")})""",
        "True"),
    "ESC what the init of the box holds open": ("""
        try: held = [number for number in os.listdir("/proc/1/fd") if int(number) > 2]
        except PermissionError: held = [0]
        say(*{attempt(os.open, f"/proc/1/fd/{number}", os.O_WRONLY) in ("EACCES", "ENXIO") for number in held})""",
        "True"),
    "ESC settings of process 1": ("""
        settings = "comm oom_score_adj clear_refs coredump_filter autogroup loginuid setgroups uid_map".split()
        say(*{attempt(put, f"/proc/1/{one}", b"0") in ("EROFS", "EACCES", "ENOENT") for one in settings})""", "True"),
    "ESC descriptors left open by whoever started it": ("""
        held = {int(number) for number in os.listdir("/proc/self/fd")}
        say(*{number for number in held if number > 2 and attempt(os.fstat, number) == "done"})""", ""),
    "ESC sockets of an engine or a daemon": (
        "say(*(path for path in files() if stat.S_ISSOCK(os.lstat(path).st_mode)))", ""),
}  # fmt: skip

RIGHTS = {
    "ESC being root": ("""
        tried = {attempt(os.setuid, 0), attempt(os.setgid, 0), attempt(os.chown, "/tmp", 0, 0)}
        say(tried <= {"EINVAL", "EPERM"})""", "True"),
    "ESC being somebody else": ("""
        tried = {attempt(os.setuid, 1), attempt(os.setgroups, [4]), attempt(os.setresuid, 0, 0, 0)}
        say(tried <= {"EINVAL", "EPERM"})""", "True"),
    "ESC rights by a new program": ("""
        line = next(line for line in open("/proc/self/status") if line.startswith("NoNewPrivs"))
        rights = {line.split()[1].strip("0") for line in open("/proc/self/status") if line.startswith("Cap")}
        say(line.split()[1], *rights)""", "1"),
    "ESC getting rid of the filter": (
        "say(call('prctl', 38, 0, 0, 0, 0), call('prctl', 22, 0, 0)); say(raw('seccomp', 1, 0, None))", "EINVAL EPERM"),
    "ESC rights kept over a new program": (
        "say(call('prctl', 47, 2, 21, 0, 0), call('prctl', 28, 0x2F, 0, 0, 0))", "EPERM"),
    "ESC a program that lies in memory only": ("""
        program = os.memfd_create("x")
        os.write(program, b"#!/opt/python/bin/python\\nfor line in open('/proc/self/status'):\\n "
            b"if line.startswith(('NoNewPrivs', 'Seccomp:', 'CapBnd')): print(line.split()[1].strip('0'))")
        os.set_inheritable(program, True)
        os.execv(f"/proc/self/fd/{program}", ["x"])""", "1 2"),
    "ESC a file by its handle": ("say(call('open_by_handle_at', -100, b'x' * 16, 0))", "EPERM"),
    "ESC a device of its own": ("say(attempt(os.mknod, '/tmp/disk', stat.S_IFBLK | 0o666, os.makedev(8, 0)))", "EPERM"),
    "ESC devices": ("""
        harmless = "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero"
        say(*sorted(set(os.listdir("/dev")) - set(harmless.split())), *os.listdir("/dev/pts"),
            attempt(open, "/dev/mqueue/x", "w") in ("EROFS", "ENOENT", "EACCES"))""", "ptmx True"),
    "ESC ports of the hardware": ("say(call('iopl', 3) if platform.machine() == 'x86_64' else 'EPERM')", "EPERM"),
    "ESC the terminal of the operator": ("say(attempt(open, '/dev/tty'))", "ENXIO"),
    "ESC typing into a terminal": ("""
        _, terminal = os.openpty()
        requests = (0x5412, 1 << 32 | 0x5412, 0x541C)
        say(*(call("ioctl", terminal, ctypes.c_ulong(request), b"x") for request in requests))""",
        "EPERM"),
    "ESC files that change who one is": ("""
        paths = list(files())
        say(len(paths) > 1000, *[path for path in paths if os.lstat(path).st_mode & (stat.S_ISUID | stat.S_ISGID)])""",
        "True"),
    "ESC folders it may write to": ("""
        places = [at for at, _, _ in os.walk("/") if not at.startswith("/proc")]
        probe = os.O_CREAT | os.O_WRONLY
        say(*sorted(at for at in places if attempt(os.open, at + "/probe", probe) == "done"))""",
        "/dev/shm /outputs /tmp"),
    "ESC changing what was handed in": ("""
        say(attempt(os.unlink, "main.py"), attempt(os.chmod, "main.py", 0o777), attempt(os.rename, "main.py", "x"))""",
        "EROFS"),
    "ESC precedence": ("""
        say(attempt(os.nice, -5) in ("EPERM", "EACCES"), attempt(os.sched_setscheduler, 0, os.SCHED_FIFO,
            os.sched_param(1)) == "EPERM", call("mlockall", 3) == "EPERM", call("personality", 0x40000) == "EPERM")""",
        "True"),
    "ESC being the last one killed for memory": (
        "say(attempt(put, '/proc/self/oom_score_adj', b'-1000') in ('EACCES', 'EPERM', 'EROFS'))", "True"),
}  # fmt: skip

TABLE = NAMESPACES_AND_MOUNTS | KERNEL | PROCESS_1 | RIGHTS


@pytest.mark.parametrize(("code", "said"), TABLE.values(), ids=TABLE.keys())
def test_it_gets_no_further_than(attempted: Callable[[str], str], code: str, said: str) -> None:
    assert attempted(code) == said


OTHER_TABLES = {
    "ESC a call through the table for 32 bits": r"""
        import mmap
        def other():
            page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
            page.write(b"\xb8\x14\0\0\0\xcd\x80\xc3")  # getpid, by int 0x80
            ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()""",
    "ESC a call through the table for x32": """
        def other(): libc.syscall(0x40000000 | 39)""",
}
IN_A_CHILD = """
        if os.fork() == 0:
            other(); os._exit(0)
        status = os.wait()[1]
        say(os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGSYS, signal.SIGSEGV))"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other tables are a matter of x86_64")
@pytest.mark.parametrize("code", OTHER_TABLES.values(), ids=OTHER_TABLES.keys())
def test_it_dies_of_a_call_that_the_filter_does_not_see(attempted: Callable[[str], str], code: str) -> None:
    """By SIGSYS, or by SIGSEGV where the kernel was built without that table."""
    assert attempted(code + IN_A_CHILD) == "True"


@pytest.mark.attack("ESC", "being a user of the host")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives each box a user of its own")
def test_a_box_is_no_user_of_the_host(attempted: Callable[[str], str]) -> None:
    printed = attempted("say(os.getuid(), open('/proc/self/mountinfo').read())")
    inside = int(printed.split()[0])
    # Bubblewrap's boxes see a user of their own namespace; whose it is shows in what they have mounted.
    users = {inside} if inside != 65534 else {int(user) for user in re.findall(r"tmpfs rw,.*?uid=([0-9]+)", printed)}
    assert users
    assert all(FIRST_UID <= user < FIRST_UID + 4096 for user in users)
