"""What a person did that one-shot work can't go on with, said in one clear line."""


class Problem(Exception):
    """The message is for the person who started the work; it holds no health data."""
