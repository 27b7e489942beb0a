"""Registry: model versions, which of them serve, and the gate that a new version must pass."""
