"""Django's ASGI path without its detours: the same code, called with fewer changes of thread.

docs/fastpath.md of Slipway tells why this is safe, how it is proven and what it gains.
`FASTPATH=off` in the environment gives Django's own path back.
"""
