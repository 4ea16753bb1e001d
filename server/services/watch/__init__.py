"""What is judged of the journal: baselines, assessments, policies, response curves."""
