"""What patients report: entries, check-ins, sync, and how it is shown back."""
