"""What is only read: where extensions ring, desks, the journal, figures."""
