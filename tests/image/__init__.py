"""The image for a Pi's card.

Its parts are tested by pytest. ``make image-test`` boots it on emulated machines, and has it do
what it is for; that takes the better part of an hour, and what came of it is kept in
docs/image-test.md.
"""
