"""How reconstruction and KL are weighed: one file a family, one class a strategy, one registry."""
