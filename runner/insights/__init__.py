"""What a cohort's scorecards tell when they are laid side by side."""
