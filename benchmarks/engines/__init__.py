"""Existing job engines beside our own claim, on the job that matters most: an alert's message leaves."""
