def test_primes():
    from tally.primes import PRIMES

    assert PRIMES[:5] == [2, 3, 5, 7, 11]


def test_their_number():
    from tally.primes import PRIMES

    assert len(PRIMES) == 25
