"""All readers that are fuzzed, by their names: those of images, of scenes, and behind a map."""

from tests.fuzz import images, maps, scenes
from tests.fuzz.reader import Reader

READERS: dict[str, Reader] = images.READERS | scenes.READERS | maps.READERS
