"""Runs Channels' own tests with its asynchronous consumers: as they are, or with DirectDispatch mixed in.

python borrowed_channels.py {channels|fastpath} PROJECT FILE…

PROJECT is a generated project, in whose environment this runs; each FILE is one of Channels' tests, in the folder
where this is started, which has to hold all of `tests` and no package `channels`. One line of JSON for each test goes
to standard output, among what pytest has to say.
"""

import json
import sys

import pytest
from asgiref.testing import ApplicationCommunicator

way, project, *files = sys.argv[1:]
sys.path.append(project)  # behind Channels' tests: the project has a package of that name, too

if way == "fastpath":
    from channels import consumer
    from fastpath.consumers import DirectDispatch

    # Before anything inherits from it, except the synchronous consumers: DirectDispatch is not for those. What
    # `super()` means in it is Channels' own class, as in a project.
    consumer.AsyncConsumer = type("AsyncConsumer", (DirectDispatch, consumer.AsyncConsumer), {})

    from channels.generic.http import AsyncHttpConsumer
    from channels.generic.websocket import AsyncJsonWebsocketConsumer

    for generic in (AsyncHttpConsumer, AsyncJsonWebsocketConsumer):  # or nothing would be compared
        assert (generic.__call__, generic.dispatch) == (DirectDispatch.__call__, DirectDispatch.dispatch), generic


class Outcomes:
    """Tells what became of each test, and which of the applications that it waited for had ended by themselves.

    One that has not is cancelled by Channels' test client, which says nothing: a consumer that goes on for ever would
    pass those tests.
    """

    def __init__(self):
        self.found = {}
        wait = ApplicationCommunicator.wait

        async def wait_and_tell(client, *args, **kwargs):
            try:
                await wait(client, *args, **kwargs)
            finally:
                self.current["ended"].append(not client.future.cancelled())

        ApplicationCommunicator.wait = wait_and_tell

    def pytest_runtest_logstart(self, nodeid):
        self.current = self.found[nodeid] = {"test": nodeid, "outcome": "passed", "ended": []}

    def pytest_runtest_logreport(self, report):
        if self.current["outcome"] == "passed":  # it fails with its setup and its teardown, too
            self.current["outcome"] = report.outcome

    def pytest_unconfigure(self):
        for line in self.found.values():
            print(json.dumps(line))


options = ("-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", ".")
settings = ("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")
sys.exit(pytest.main([*options, *settings, *files], plugins=[Outcomes()]))
