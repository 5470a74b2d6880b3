"""Builds an image for the cards of Raspberry Pis, from Debian's packages and this checkout.

Three steps, each a module: the root file system (``root``), the boot partition that is made
of it (``boot``), and both as one disk (``disk``). What is put into the root file system beside
packages lies below ``files``, as it lies there.
"""
