"""What is missing or unsafe, and how to mend it. One file a kind of check; each check gives findings, never raises."""
