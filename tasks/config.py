"""Celery's configuration, loaded when the app first needs it. The reasons are in docs/architecture.md."""

from __future__ import annotations

from roost.settings import settings
from tasks.broker import CONNECT_TIMEOUT, TRANSPORT_OPTIONS
from tasks.topology import BIND, fixed_queues

# Workers refuse to start without one; a client names its own.
broker_url = settings().broker_url and settings().need("broker_url")
result_backend = None
imports = ("tasks.requests", "tasks.push", "tasks.periodic")

task_queues = fixed_queues()
task_default_queue = BIND
task_default_exchange = "roost"
task_create_missing_queues = False
worker_detect_quorum_queues = True

# A message is acknowledged when its work is done; one whose worker died is done again by another, once.
task_acks_late = True
task_reject_on_worker_lost = True
worker_prefetch_multiplier = 1
worker_cancel_long_running_tasks_on_connection_loss = False

# Outcomes go to `reply_to`, not to a result backend.
task_ignore_result = True
task_store_errors_even_if_ignored = False
task_serializer = "json"
accept_content = ["json"]
task_remote_tracebacks = False
# The backend that stores nothing may be shared: otherwise each thread looks through all installed packages for one, before its first task.
result_backend_thread_safe = True

broker_connection_timeout = CONNECT_TIMEOUT
broker_heartbeat = 10
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
# A queue that cannot be declared now, or a right that is missing, may be mended while the worker waits.
broker_channel_error_retry = True
# A connection of the pool tries each broker of the list once. Without a number it would go on for CONNECT_TIMEOUT, which one that stands still
# takes up alone, and begin with that one again.
broker_transport_options = TRANSPORT_OPTIONS | {
    "max_retries": (broker_url or "").count(";"),
    "connect_retries_timeout": None,
}

# RabbitMQ 4.3 refuses transient queues that are not exclusive.
control_queue_exclusive = True
control_queue_durable = False
event_queue_exclusive = True
event_queue_durable = False

worker_hijack_root_logger = False
worker_redirect_stdouts = False
worker_send_task_events = False
enable_utc = True
