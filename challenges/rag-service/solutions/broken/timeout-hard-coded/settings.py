"""The service's settings, all from the environment."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    port: int
    llm_url: str
    llm_model: str
    corpus_file: Path
    prompt_token_budget: int
    tenant_token_budget: int
    llm_timeout_s: float
    retry_base_s: float
    prompt_usd_per_token: float
    completion_usd_per_token: float
    max_body_bytes: int

    @classmethod
    def from_environment(cls) -> "Settings":
        get = os.environ.get
        return cls(
            port=int(get("PORT", "8000")),
            llm_url=get("LLM_URL", "http://127.0.0.1:9000").rstrip("/"),
            llm_model=get("LLM_MODEL", "reader-1"),
            corpus_file=Path(get("CORPUS_FILE", "/assets/sample/corpus.jsonl")),
            prompt_token_budget=int(get("PROMPT_TOKEN_BUDGET", "1200")),
            tenant_token_budget=int(get("TENANT_TOKEN_BUDGET", "0")),
            llm_timeout_s=60.0,  # Fault: the setting is not read.
            retry_base_s=int(get("RETRY_BASE_MS", "200")) / 1000,
            prompt_usd_per_token=float(get("PROMPT_USD_PER_1M", "0.5")) / 1e6,
            completion_usd_per_token=float(get("COMPLETION_USD_PER_1M", "1.5")) / 1e6,
            max_body_bytes=int(get("MAX_BODY_BYTES", "262144")),
        )
