"""The service's settings, all from the environment."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    port: int
    model_dir: Path
    max_body_bytes: int
    max_batch_rows: int
    lookup_delay_s: float

    @classmethod
    def from_environment(cls) -> "Settings":
        return cls(
            port=int(os.environ.get("PORT", "8000")),
            model_dir=Path(os.environ.get("MODEL_DIR", "/assets/model")),
            max_body_bytes=int(os.environ.get("MAX_BODY_BYTES", "1048576")),
            max_batch_rows=int(os.environ.get("MAX_BATCH_ROWS", "1000")),
            lookup_delay_s=int(os.environ.get("LOOKUP_DELAY_MS", "0")) / 1000,
        )
