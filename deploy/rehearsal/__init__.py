"""The processes of `deploy/compose.yaml` on loopback ports of this machine, without a container engine.

It reads the compose file, so commands, settings, secrets and health checks are those of the containers:
paths in a container become paths in a temporary folder, addresses of services become loopback addresses.
"""
