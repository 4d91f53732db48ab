"""Reads every log and answers with figures.
Decides nothing and owns no topic.
"""
