"""Runs the service."""

import os
from pathlib import Path

from aiohttp import web

from service import build

if __name__ == "__main__":
    application = build(Path(os.environ.get("MODEL_DIR", "/assets/model")))
    web.run_app(application, host="0.0.0.0", port=int(os.environ.get("PORT", "8000")), access_log=None)
