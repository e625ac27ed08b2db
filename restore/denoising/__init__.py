"""One image in memory to a clean one."""
