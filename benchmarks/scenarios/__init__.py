"""What is measured, one file a scenario: each builds its stage, measures, and fills the report."""
