"""mutmut on a repository of ours: in a sandbox, in an environment that has it besides. Not a benchmark."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

from swesmith_gym.errors import SweSmithGymError
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.repos import images, profiles
from swesmith_gym.repos.build import build

CHILDREN = 2
_COUNT = re.compile(rb"(\d+)/(\d+)\s")


def mutmut(name: str, testbed: Testbed, seconds: int) -> dict[str, Any]:
    """Mutants that it has told about in so much time, making them and its first run of the suite left aside."""
    if not seconds:
        return {"left_out": "no time was given to it"}
    profile = profiles.load(name)
    added = replace(profile, name=f"{name}-mutmut", requirements=(*profile.requirements, "mutmut>=3"))
    try:
        spec = images.spec(build(added, testbed.backend, lock=""))
        with testbed.backend.start(spec) as sandbox:
            sandbox.run(f"cat >> setup.cfg <<'END'\n{_settings(testbed)}END\n", timeout_s=30)
            began = time.perf_counter()
            done = sandbox.run(f"timeout -s INT {seconds} mutmut run --max-children {CHILDREN}", timeout_s=seconds + 60)
            wall_s = time.perf_counter() - began
    except SweSmithGymError as error:
        return {"left_out": str(error)}
    counts = _COUNT.findall(done.stdout)
    if not counts:
        return {"left_out": f"it gave no count: {(done.stdout + done.stderr)[-300:].decode(errors='replace')}"}
    number = int(counts[-1][0])
    rate = {"per_s": round(number / wall_s, 3)}
    return {"candidates": number, "wall_s": round(wall_s, 2), "of": int(counts[-1][1]), **rate}


def _settings(testbed: Testbed) -> str:
    folders = sorted({path.split("/")[0] for path in testbed.pristine if path.endswith("/__init__.py")})
    sources = [each for each in folders if not testbed.on_surface(f"{each}/__init__.py")]
    lines = "".join(f"\n    {each}" for each in sources)
    tests = "".join(f"\n    {each}" for each in testbed.image.test.paths)
    return f"\n[mutmut]\npaths_to_mutate ={lines}\ntests_dir ={tests}\n"
