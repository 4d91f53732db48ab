"""Decides who people are, what they may do and which applications are approved.
Never moves money and never opens a listing by itself.
"""
