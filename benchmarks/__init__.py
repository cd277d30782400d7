"""How fast Roost is, as ratios to baselines measured in the same run. `script/bench` runs it; nothing imports it."""
