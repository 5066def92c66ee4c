"""Workers: Celery serving the queues of some skills. The only part of Dragoman that imports Celery.

``app`` builds the Celery app; ``consumer`` keeps a skill from taking every slot and parks what Celery
would throw away; ``request`` and ``bookkeeper`` tie each task to its run in the ledger.
"""
