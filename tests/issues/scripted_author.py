"""A model that answers from a list, and a report of it that has nothing wrong."""

from __future__ import annotations

from swesmith_gym.errors import LMError
from swesmith_gym.lm.base import Completion, Request

CODE = "from shop.cart import total\n\nassert total([60, 60]) == 108\n"
REPORT = f"""# Discount is missing for a large order

I add up the prices of an order of two items in my shop, and the sum is larger than it should be: the discount that
large orders get is not there.

```python
{CODE}```

I expect 108 and get 120 instead.
"""


class Model:
    """Gives its answers in turn; an error is raised."""

    model = "scripted"

    def __init__(self, *answers: str | LMError | Completion) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []

    def complete(self, request: Request) -> Completion:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, LMError):
            raise answer
        return answer if isinstance(answer, Completion) else completion(answer)


def completion(
    text: str, cost: float | None = 0.25, *, finish_reason: str = "stop", cached: bool = False
) -> Completion:
    return Completion(text, "scripted", finish_reason, 1, 1, cost, cached)
