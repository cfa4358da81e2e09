"""Sandboxes in containers of a Docker Engine (20.10 or newer), or of anything that speaks its interface (Podman).

`backend` is the way in; `engine` the connection to the daemon, `layers` the images, `container` one running sandbox,
`volumes` the folders that a build writes. Nothing of the host is mounted, but for the socket of the index proxy in
builds: what a sandbox shows lies in image layers or comes over its stream, so that a rootless daemon or one with mapped
users will do.
"""
