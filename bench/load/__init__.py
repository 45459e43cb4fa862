"""The load: wrk for plain requests, processes of our own for crowds and WebSockets."""
