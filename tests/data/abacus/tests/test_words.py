from abacus.words import word


def test_small():
    assert word(2) == "two"


def test_large():
    assert word(7) == "7"
