"""What Prometheus reads from each process: what the process counted, and what it sees of PostgreSQL, RabbitMQ and the nodes."""
