"""From a whole scene to a map, block by block; an interrupted map is resumed."""
