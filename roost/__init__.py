"""What is true in Roost: extensions, phones, who sits where, and what every PBX node must know.

This package knows PostgreSQL and PBX protocols. It imports neither celery nor kombu.
"""
