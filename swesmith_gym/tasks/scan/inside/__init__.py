"""The part of the leak scan that runs inside of a sandbox: standard library only, sent as text, no installation.

What it prints is untrusted: the host parses it strictly. It judges nothing but whether a file holds what is looked for.
"""
