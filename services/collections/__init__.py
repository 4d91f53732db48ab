"""Decides the work of getting paid: cases, contacts, promises.
Never changes what is owed.
"""
