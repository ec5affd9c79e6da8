"""ToolWorld: a deterministic offline world of tools whose calls do things, with tasks that are proved."""
