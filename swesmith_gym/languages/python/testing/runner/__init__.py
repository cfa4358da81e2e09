"""What every sandbox shows at `/opt/runner`. It runs under the repository's own interpreter."""
