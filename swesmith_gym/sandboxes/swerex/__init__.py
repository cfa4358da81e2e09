"""Sandboxes in SWE-ReX deployments: local, remote, in Docker, on Modal or Fargate.

SWE-ReX is the transport alone. Our own process 1 (`sandboxes.inside`) runs there behind a keeper (`inside.listen`), and
each request is one call, or a few, of the runtime's `execute`. `backend` is the way in; `config` what the user says,
`loop` where SWE-ReX's own code runs, `deployment` one deployment, `site` our program and folders there, `line` the
bytes to process 1 and back, `sandbox` the sandbox.
"""
