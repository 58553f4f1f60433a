"""Training: one visible loop on accelerate, exact resume, ranks that end together."""

from __future__ import annotations
