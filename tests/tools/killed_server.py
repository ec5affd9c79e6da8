"""Stands between an MCP client and a server over stdio, and dies after a number of the server's messages.

    python killed_server.py COUNT COMMAND...

At COUNT messages (0: at the first word of the client) the server is killed and this process with it.
"""

import os
import subprocess
import sys
import threading


def main() -> None:
    left, command = int(sys.argv[1]), sys.argv[2:]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdin is not None and server.stdout is not None

    def end() -> None:
        server.kill()
        os._exit(9)

    def forward() -> None:
        for line in iter(sys.stdin.buffer.readline, b""):
            if left == 0:
                end()
            server.stdin.write(line)
            server.stdin.flush()
        end()

    threading.Thread(target=forward, daemon=True).start()
    for count, line in enumerate(iter(server.stdout.readline, b""), 1):
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
        if count >= left:
            end()
    end()


if __name__ == "__main__":
    main()
