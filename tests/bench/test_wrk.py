"""What wrk prints becomes figures."""

import pytest

from bench.load import wrk

# Printed by wrk 4.1.0; it pads a unit of one letter.
PRINTED = """\
Running 2s test @ http://127.0.0.1:8000/hello/
  2 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    11.88ms    1.61ms  29.06ms   90.21%
    Req/Sec     2.71k    99.94     2.86k    80.00%
  Latency Distribution
     50%  635.00us
     75%   11.90ms
     90%   12.97ms
     99%    1.10s 
  10780 requests in 2.00s, 7.15MB read
Requests/sec:   5385.93
Transfer/sec:      3.57MB
"""  # noqa: W291


def test_units_are_seconds():
    figures = wrk.parse(PRINTED)
    assert figures == {"rate": 5385.93, "p50": pytest.approx(0.000635), "p99": pytest.approx(1.1), "failed": 0}


def test_every_kind_of_failure_counts():
    errors = "  Socket errors: connect 1, read 20, write 300, timeout 4000\n  Non-2xx or 3xx responses: 50000\n"
    assert wrk.parse(PRINTED.replace("Requests/sec", errors + "Requests/sec"))["failed"] == 54321


def test_no_answer_at_all_is_a_rate_of_nothing():
    silence = PRINTED.replace("635.00us", "0.00us").replace("1.10s ", "0.00us").replace("5385.93", "0.00")
    assert wrk.parse(silence) == {"rate": 0, "p50": 0, "p99": 0, "failed": 0}
