"""Pushes a file, or pulls what was pushed, by oras-py: oras_tool.py push|pull HOST NAME TOKEN FILE_OR_FOLDER."""

import sys

import oras.client

command, host, name, token, path = sys.argv[1:]
client = oras.client.OrasClient(hostname=host, insecure=True, auth_backend="basic")
client.auth.set_basic_auth("any", token)
if command == "push":
    client.push(target=f"{host}/{name}", files=[path], disable_path_validation=True)
else:
    client.pull(target=f"{host}/{name}", outdir=path)
