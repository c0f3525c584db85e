"""Runs a program in a terminal of its own, as the foreground job of a new session.

    in-terminal.py ROWS COLUMNS ACTIONS -- COMMAND...

ACTIONS is JSON: a list of [text to wait for, text to type then]. What the terminal shows goes to stdout; the exit code is the
program's own, or 128 + its signal.
"""
import fcntl, json, os, pty, select, struct, sys, termios

rows, columns, actions = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
command = sys.argv[5:]
# So that the program does not start before its terminal has a size.
go_read, go_write = os.pipe()
pid, terminal = pty.fork()
if pid == 0:
    os.read(go_read, 1)
    os.close(go_read)
    os.close(go_write)
    os.execvp(command[0], command)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
os.write(go_write, b"x")
seen = ""
while True:
    select.select([terminal], [], [])
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        break
    if not chunk:
        break
    sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()
    seen += chunk.decode("utf-8", "replace")
    while actions and actions[0][0] in seen:
        seen = seen.split(actions[0][0], 1)[1]
        os.write(terminal, actions.pop(0)[1].encode())
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
