"""Real services on one machine, for the demo, the tests and the benchmarks.

PostgreSQL, RabbitMQ, Asterisk and telephones, each an object with `start()`, `stop()`, `kill()`, `restart()`, `pause()`
and `resume()`, each also a context manager. Everything listens on loopback, on ports found free, and keeps its files in
a folder the caller gives. Nothing outlives the process that started it, even when that is killed: see `guardian`.
The product (`roost`, `tasks`, `workers`) never imports this package.
"""
