"""The `docker` engine: sandboxes as containers, through any local engine with Docker's API.

endpoint.py    where an engine may answer, in which order to ask
daemon.py      the connection: what the engine is, time-outs, errors in our words
images.py      one base image for each root filesystem, one more layer for each environment
container.py   what one sandbox is, as the engine is told; and what must be true once it stands
engine.py      starts sandboxes; says what is enforced
sandbox.py     one living sandbox and how it ends
stream.py      the engine's stream of a container's output, taken apart
leftovers.py   containers of dead runs
"""
