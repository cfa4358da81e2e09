"""A small shop with a bug: what the tests of statements are written about."""

from __future__ import annotations

from swesmith_gym.languages import get
from swesmith_gym.records import TaskInstance

LANGUAGE = get("python")
TEST = """
from shop.cart import total

def test_discount_applies_to_large_orders():
    prices = [60, 60]
    assert total(prices) == 108

def test_empty_cart():
    assert total([]) == 0
"""
FILES = {"tests/test_cart.py": TEST.encode()}
VALUE_FAILURE = """tests/test_cart.py:6: in test_discount_applies_to_large_orders
    assert total(prices) == 108
E   assert 120 == 108
E    +  where 120 = total([60, 60])
test: tests/test_cart.py::test_discount_applies_to_large_orders"""
CRASH = """tests/test_cart.py:9: in test_empty_cart
    assert total([]) == 0
shop/cart.py:4: in total
    return max(prices) * len(prices)
E   ValueError: max() arg is an empty sequence <Cart object at 0x7f12ab34cd56> in /tmp/run-17/cart.txt
test: tests/test_cart.py::test_empty_cart"""
GOLD = """--- a/shop/cart.py
+++ b/shop/cart.py
@@ -1,4 +1,4 @@
 def total(prices):
-    return max(prices) * len(prices)
+    return sum(prices) * (0.9 if sum(prices) > 100 else 1)
"""
BUG = (
    GOLD.replace("-    return", "*    return")
    .replace("+    return", "-    return")
    .replace("*    return", "+    return")
)


def task(number=0, excerpt=VALUE_FAILURE, gold=GOLD, bug=BUG, **fields):
    return TaskInstance(
        **{
            "instance_id": f"shop.procedural__{number:010d}",
            "repo": "shop",
            "image_key": "shop-0",
            "fingerprint": "f",
            "strategy": "procedural",
            "operator": "swap_the_call",
            "bug_patch": bug,
            "gold_patch": gold,
            "FAIL_TO_PASS": (
                "tests/test_cart.py::test_discount_applies_to_large_orders",
                "tests/test_cart.py::test_empty_cart",
                "tests/test_stock.py::test_count",
            ),
            "PASS_TO_PASS": (),
            "problem_statement": "",
            "language": "python",
            "explanation": "max was called in place of sum",
            "seed": 0,
            "cost_usd": 0.0,
            "created_at": "",
            "repo_source": "",
            "repo_license": "",
            "sealed_digest": "",
            "failure_excerpt": excerpt,
            **fields,
        }
    )
