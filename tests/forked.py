"""A Python for programs that start others: `forked.py SOCKET [-u] -m MODULE WORDS`, forked by tests/forking.py.

It is in the forked process's place, with its descriptors, environment and folder; signals are handed on to it, and its
exit code is this one's.
"""

import json
import os
import signal
import socket
import sys

path, *options, module = sys.argv[1 : sys.argv.index("-m") + 2]
what = {"module": module, "words": sys.argv[sys.argv.index("-m") + 2 :], "session": False}
line = socket.socket(socket.AF_UNIX)
line.connect(path)
asked = json.dumps({**what, "environment": {**os.environ}, "folder": os.getcwd()}).encode() + b"\n"
socket.send_fds(line, [asked], [0, 1, 2])
answers = line.makefile("r")
pid = json.loads(answers.readline())
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, lambda number, frame: os.kill(pid, number))
code = json.loads(answers.readline())
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
