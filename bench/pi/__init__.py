"""The benchmark that somebody with a Raspberry Pi runs: one command, one report."""
