"""Threads for the synchronous code of requests: kept, bounded in number, one request at a time each.

Django's ASGI handler starts a thread for every request and ends it with the request: ASGI's contexts
for thread-sensitive code (asgiref.sync.ThreadSensitiveContext) own theirs. A thread costs a tenth of
a millisecond, and there may be as many, each with a connection to the database, as there are
requests. Since 3.13 asgiref takes an executor instead, which may be used again.
"""

import logging
import threading
from collections import deque
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.conf import settings
from django.db import connections, reset_queries

logger = logging.getLogger(__name__)
here = threading.local()  # of_requests: whether this thread is one of ours


class Threads:
    """At most `limit` threads, started as they are needed. Who comes when all are taken waits in line."""

    def __init__(self, limit):
        self.limit, self.started = limit, 0
        self.idle, self.waiting = [], deque()
        self.lock = threading.Lock()

    def take(self, lease):
        """Give `lease` a thread, or note that it waits for one. The caller holds the lock."""
        if self.idle:
            lease.thread = self.idle.pop()
        elif self.started < self.limit:
            self.started += 1
            lease.thread = ThreadPoolExecutor(
                1,
                thread_name_prefix=f"django-{self.started}",
                initializer=setattr,
                initargs=(here, "of_requests", True),
            )
        else:
            self.waiting.append(lease)

    def give(self, thread):
        """Take a thread back that has nothing to do. The caller holds the lock."""
        if self.waiting:
            self.waiting.popleft().begin(thread)
        else:
            self.idle.append(thread)


@cache
def threads():
    """Return the threads of this process: settings.THREADS of them."""
    return Threads(getattr(settings, "THREADS", 16))


class Lease(Executor):
    """Runs the synchronous code of one request, in order, in one thread.

    The thread is taken at the first call and kept until the request is over, so that thread-local
    state such as an open transaction stays with the request. What still comes then (a stream's
    queries, a task that the view has left behind) has a thread for a single call each: a stream that
    goes on for hours does not hold one.
    """

    def __init__(self, threads):
        self.threads, self.thread = threads, None
        self.queue, self.pending = deque(), 0
        self.over = False

    def submit(self, fn, /, *args, **kwargs):
        """Run `fn` in the request's thread; return a Future of its result."""
        future = Future()
        work = (future, fn, args, kwargs)
        with self.threads.lock:
            self.pending += 1
            if self.thread:
                self.thread.submit(self._run, *work)
                return future
            self.queue.append(work)
            if len(self.queue) == 1:
                self.threads.take(self)
                if self.thread:
                    self._start()
        return future

    def begin(self, thread):
        """Have a thread after all. The caller holds the lock."""
        self.thread = thread
        self._start()

    def release(self):
        """The request is over: give the thread back as soon as nothing runs in it."""
        with self.threads.lock:
            if self.over:
                return
            self.over = True
            if not self.thread or self.pending:
                return  # the last call gives it back
            self.pending += 1
            self.thread.submit(self._run, Future(), bool, (), {})  # cleans up, and gives it back

    def _start(self):
        self.thread.submit(clean)
        while self.queue:
            self.thread.submit(self._run, *self.queue.popleft())

    def _run(self, future, fn, args, kwargs):
        if running := future.set_running_or_notify_cancel():
            try:
                result, error = fn(*args, **kwargs), None
            except BaseException as raised:
                result, error = None, raised
        with self.threads.lock:
            self.pending -= 1
            last = self.over and not self.pending
        if last:
            clean()
            with self.threads.lock:
                if not self.pending:  # nothing more has come meanwhile
                    thread, self.thread = self.thread, None
                    self.threads.give(thread)
        if running:
            if error:
                future.set_exception(error)
            else:
                future.set_result(result)


class Context(ThreadSensitiveContext):
    """Has the synchronous code of one request run by `lease`."""

    def __init__(self, lease):
        super().__init__(executor=lease)
        self.lease = lease

    async def __aexit__(self, *error):
        """Release the thread, but serve tasks that outlive the request, as Django's own contexts do."""
        await super().__aexit__(*error)
        self._exited = False
        SyncToAsync.context_to_thread_executor[self] = self.lease
        self.lease.release()


def clean():
    """Leave nothing of a request in this thread's connections to the databases.

    What Django's own receivers of request_started and request_finished do, and what the end of its
    thread did besides: a transaction that was left open is rolled back.
    """
    reset_queries()
    for connection in connections.all(initialized_only=True):
        try:
            connection.close_if_unusable_or_obsolete()  # nothing within a transaction
            unfinished = connection.in_atomic_block
        except Exception:
            logger.exception("A connection to the database could not be closed: it is dropped")
            unfinished = True
        if unfinished:
            del connections[connection.alias]
            with suppress(Exception):
                connection.connection.close()
