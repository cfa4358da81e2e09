"""The program that runs as process 1 of a sandbox.

Standard library only, any Python from 3.8 on: it is shown inside the sandbox as a folder and run there by whatever
interpreter the host has. `wire` is shared with the driver; nothing else here is imported outside.
"""
