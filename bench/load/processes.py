"""One process a core, so that the load is not what is measured."""

import asyncio
import multiprocessing
import signal
import time
from concurrent.futures import ProcessPoolExecutor

LEAD = 0.15  # seconds in which every process gets its task; they all begin at the same moment


class Loaders:
    """Processes that wait for load to make.

    A load is a module's coroutine function: it takes its share of the clients and further arguments.
    """

    def __init__(self, count):
        self.count = count

    def __enter__(self):
        self.pool = ProcessPoolExecutor(self.count, multiprocessing.get_context("spawn"), _leave_ctrl_c_to_us)
        self.run(_nothing, self.count)
        return self

    def __exit__(self, *error):
        for process in list(self.pool._processes.values()):
            process.terminate()
        self.pool.shutdown(cancel_futures=True)

    def run(self, load, clients, *arguments, processes=None):
        """Share the clients out, and return what each process's load returned."""
        count = min(processes or self.count, clients)
        shares = [clients // count + (number < clients % count) for number in range(count)]
        begin = time.monotonic() + LEAD
        tasks = [self.pool.submit(_run, load, begin, share, arguments) for share in shares]
        return [task.result(timeout=180) for task in tasks]


def _run(load, begin, share, arguments):
    import uvloop  # noqa: PLC0415 (the tests of the toolkit have none)

    async def main():
        await asyncio.sleep(begin - time.monotonic())
        return await load(share, *arguments)

    return uvloop.run(main())


async def _nothing(clients):
    """Make no load: the processes get started."""


def _leave_ctrl_c_to_us():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
