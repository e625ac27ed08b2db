"""All readers that are fuzzed, by their names: those of images, and those of scenes."""

from tests.fuzz import images, scenes
from tests.fuzz.reader import Reader

READERS: dict[str, Reader] = images.READERS | scenes.READERS
