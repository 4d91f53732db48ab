"""The shared language of the platform: what is written to the log and how it is read.

Knows no service and no I/O. Everything that two services must agree on stands here, nothing else does.
"""
