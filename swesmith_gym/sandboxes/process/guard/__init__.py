"""The program that stands between a driver and a sandbox without namespaces: it starts process 1 and ends all of it.

Standard library only, any Python from 3.8 on. It is run without the packages above it: importing all of them would take
longer than a start.
"""
