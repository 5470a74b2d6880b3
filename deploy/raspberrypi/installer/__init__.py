"""Installs edgenode on a machine with systemd, and goes back where a new version fails.

Each version is a virtual environment of its own below ``/opt/edgenode/releases``; the link
``/opt/edgenode/current`` names the one that runs. An upgrade makes the new one beside the
old one, stops the service, turns the link, and starts it again. Where the new version
doesn't get ready, or doesn't stay so, the link is turned back.

It uses nothing but Python's standard library: it runs before anything is installed.
"""
