"""The `process` backend: sandboxes without namespaces, for machines that are themselves the sandbox."""
