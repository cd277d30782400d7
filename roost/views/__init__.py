"""What is only read: where extensions ring, desks, history, figures."""
