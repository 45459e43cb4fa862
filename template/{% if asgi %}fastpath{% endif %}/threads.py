"""Threads for the synchronous code of requests: kept, bounded in number, one request at a time each.

Django's ASGI handler starts a thread for every request and ends it with the request: ASGI's contexts
for thread-sensitive code (asgiref.sync.ThreadSensitiveContext) own theirs. That takes time, and there
may be as many, each with a connection to the database, as there are requests. Since 3.13 asgiref takes an executor instead, which may be used again.
"""

import logging
import threading
from collections import deque
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from weakref import WeakSet

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.conf import settings
from django.db import connections, reset_queries
from django.db.backends.signals import connection_created

logger = logging.getLogger(__name__)

# `cursors`: those with which this thread has asked a database, if it is one of ours.
here = threading.local()


def new_thread(name):
    """Return an executor with one thread, which ends when nobody holds the executor any more."""
    return ThreadPoolExecutor(1, name, initializer=lambda: setattr(here, "cursors", WeakSet()))


class Threads:
    """At most `limit` threads, started as they are needed. Who comes when all are taken waits in line.

    The caller of its methods holds the lock.
    """

    def __init__(self, limit):
        self.limit, self.started = limit, 0
        self.idle, self.waiting = [], deque()
        self.lock = threading.Lock()

    def take(self, lease):
        """Give `lease` a thread, or note that it waits for one."""
        if self.idle:
            lease.begin(self.idle.pop())
        elif self.started < self.limit:
            self.started += 1
            lease.begin(new_thread(f"django-{self.started}"))
        else:
            self.waiting.append(lease)

    def give(self, thread):
        """Take a thread back that has nothing to do."""
        if self.waiting:
            self.waiting.popleft().begin(thread)
        else:
            self.idle.append(thread)

    def lose(self):
        """A thread is kept by its request: there may be another one instead."""
        self.started -= 1
        if self.waiting:
            self.take(self.waiting.popleft())


@cache
def threads():
    """Return the threads of this process: settings.THREADS of them."""
    return Threads(getattr(settings, "THREADS", 8))


class Lease(Executor):
    """Runs the synchronous code of one request, in order, in one thread.

    The thread is taken at the first call and kept until the response is sent, so that thread-local
    state such as an open transaction stays with the request. A stream may go on for hours: it keeps
    its thread, or gets one of its own, and leaves the limited ones to others; its connections are
    closed between its calls, unless a query's results are still being read. A task that the view
    leaves behind has a thread of its own as well. In all that Django does the same.
    """

    def __init__(self, threads):
        self.threads, self.thread = threads, None
        self.queue, self.pending = deque(), 0
        self.own = False  # whether the thread is, or will be, none of the limited ones
        self.over = False  # whether the limited one is to be given back

    def submit(self, fn, /, *args, **kwargs):
        """Run `fn` in the request's thread; return a Future of its result."""
        future = Future()
        with self.threads.lock:
            self.pending += 1
            self.queue.append((future, fn, args, kwargs))
            if self.thread:
                self._pass_on()
            elif self.own:
                self.begin(new_thread("django's own"))
            elif len(self.queue) == 1:
                self.threads.take(self)
        return future

    def begin(self, thread):
        """Have a thread. The caller holds the lock."""
        self.thread = thread
        thread.submit(clean)
        self._pass_on()

    def stream(self):
        """The response begins to stream: leave the limited threads to others."""
        with self.threads.lock:
            if self.own or self.queue:  # or still waits for one of them
                return
            self.own = True
            if self.thread:
                self.threads.lose()

    def release(self):
        """The request is over: give the thread back as soon as nothing runs in it."""
        with self.threads.lock:
            self.over = not self.own and bool(self.thread or self.queue)
            self.own = self.own or not self.over
            if self.thread:
                self.pending += 1
                self.thread.submit(self._run, Future(), clean, (), {})

    def _pass_on(self):
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
            last = (self.own or self.over) and not self.pending
        if last and (self.over or not busy()):
            clean()
            with self.threads.lock:
                if self.over and not self.pending:  # nothing more has come meanwhile
                    self.threads.give(self.thread)
                    self.thread, self.over, self.own = None, False, True
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


def busy():
    """Whether results are still being read in this thread, or a transaction goes on."""
    return bool(here.cursors) or any(
        connection.autocommit != connection.settings_dict["AUTOCOMMIT"]
        for connection in connections.all(initialized_only=True)
        if connection.connection
    )


def _note_cursor(execute, sql, params, many, context):
    here.cursors.add(context["cursor"])
    return execute(sql, params, many, context)


def _watch(connection, **named):
    if hasattr(here, "cursors") and _note_cursor not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _note_cursor)


connection_created.connect(_watch, dispatch_uid="fastpath.threads")
