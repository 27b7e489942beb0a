"""A replay (backtest): historical data, sent through the running system in the order in which it became known."""
