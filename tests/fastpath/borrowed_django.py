"""Runs Django's own tests with every request of theirs served asynchronously: Django's own way, or ours.

python borrowed_django.py {django|fastpath} PROJECT TESTS LABEL…

PROJECT is a generated project, in whose environment this runs; TESTS is the folder `tests` of Django's source. Most of
those tests use the synchronous test client. Here its requests, too, pass through the asynchronous chain of middleware,
so that they say something about it. One line of JSON for each test goes to standard output.
"""

import json
import os
import runpy
import sys
import unittest

way, project, tests, *labels = sys.argv[1:]
sys.path.append(project)  # behind Django's tests, some of which have names like ours
os.chdir(tests)
sys.path.insert(0, tests)

from asgiref.sync import async_to_sync
from django.core import asgi
from django.core.handlers import asgi as handlers
from django.test import client

if way == "fastpath":
    from fastpath.handler import Handler
    from fastpath.handler import InlineMiddleware as Chain

    asgi.ASGIHandler = handlers.ASGIHandler = Handler
else:
    Chain = type("Chain", (), {})


class AsynchronousChain(Chain):
    """Has the synchronous client's request pass through the asynchronous chain."""

    def load_middleware(self, is_async=False):
        super().load_middleware(is_async=True)

    def get_response(self, request):
        return async_to_sync(self.get_response_async)(request)


client.ClientHandler = type("ClientHandler", (AsynchronousChain, client.ClientHandler), {})
client.AsyncClientHandler = type("AsyncClientHandler", (Chain, client.AsyncClientHandler), {})
client.Client.__init__.__globals__["ClientHandler"] = client.ClientHandler


class Results(unittest.TextTestResult):
    """Tells what became of each test."""

    def tell(self, test, outcome):
        print(json.dumps({"test": str(test), "outcome": outcome}), flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.tell(test, "passed")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.tell(test, "failed")

    def addError(self, test, err):
        super().addError(test, err)
        self.tell(test, "failed")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.tell(test, "failed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.tell(test, "skipped")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.tell(test, "passed")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.tell(test, "failed")


from django.test.runner import DiscoverRunner

DiscoverRunner.get_resultclass = lambda self: Results
sys.argv = ["runtests.py", "--parallel=1", "--verbosity=0", *labels]
runpy.run_path("runtests.py", run_name="__main__")
