"""What hostile submissions are made of: tools for a job, and a service that is honest but for one answer."""

TOOLS = """
import ctypes, errno, fcntl, os, platform, resource, signal, socket, stat, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
numbers = dict(zip(
    "bpf perf_event_open userfaultfd add_key keyctl kexec_load init_module kcmp seccomp ioprio_set sched_setattr "
    "clone sync".split(),
    (321, 298, 323, 248, 250, 246, 175, 312, 317, 251, 314, 56, 162) if platform.machine() == "x86_64" else
    (280, 241, 282, 217, 219, 104, 105, 272, 277, 30, 274, 220, 81)))

def name(number):
    return errno.errorcode.get(number, str(number))

def call(function, *arguments):
    ctypes.set_errno(0)
    return "done" if getattr(libc, function)(*arguments) >= 0 else name(ctypes.get_errno())

def raw(function, *arguments):
    return call("syscall", numbers.get(function, function), *arguments)

def attempt(function, *arguments, **named):
    try:
        function(*arguments, **named)
    except OSError as error:
        return name(error.errno)
    return "done"

def put(path, text):
    os.write(os.open(path, os.O_WRONLY), text)

def until_it_fails(function, most=10**6):
    try:
        for count in range(most): function(count)
    except (OSError, RuntimeError) as error:
        return count, name(error.errno) if isinstance(error, OSError) else "refused"
    return most, "done"

def files():
    for at, _, names in os.walk("/"):
        if at.split("/")[1] != "proc":
            yield from (os.path.join(at, one) for one in names)

def say(*words):
    print(*words, flush=True)
"""

SERVICE = """
import os, signal, socket, sys, threading, time
asset = open("/assets/words/word.txt", "rb").read()

def ok(body):
    return b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body)

def hostile(connection, body):
    raise NotImplementedError

def serve(connection):
    head, _, body = connection.recv(65536).partition(b"\\r\\n\\r\\n")
    while b"POST" in head and not body: body = connection.recv(65536)
    try:
        if b"text" in body: hostile(connection, body)
        elif b"GET /word" in head: connection.sendall(ok(asset))
        else: connection.sendall(ok(body or b"ready"))
    except OSError: pass
    connection.close()

def accept(listener):
    while True: threading.Thread(target=serve, args=(listener.accept()[0],)).start()

def listen():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=64)
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
    signal.sigwait([signal.SIGTERM])
    os._exit(0)
"""


def once_each(line: str) -> str:
    """The words of a line, without those that only repeat the word before."""
    words = line.split()
    return " ".join(word for at, word in enumerate(words) if at == 0 or word != words[at - 1])
