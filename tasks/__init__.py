"""The jobs: Celery tasks on RabbitMQ. Each parses its message, calls the core, answers, and wakes the next.

No business rule lives here. A message is a hint: losing, repeating, delaying or reordering any harms nothing.
"""
