"""Writes the table of primes below a hundred."""

from pathlib import Path

PRIMES = [n for n in range(2, 100) if all(n % d for d in range(2, n))]
Path(__file__).parents[1].joinpath("src/tally/primes.py").write_text(f'"""Made by tools/make_primes.py."""\n\nPRIMES = {PRIMES}\n')
