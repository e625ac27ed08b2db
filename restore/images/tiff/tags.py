"""TIFF tags by their numbers: those that are kept, and those that the writer makes anew."""

# Tags that describe how the pixels lie in the file, or point into it.
_STRUCTURE = {
    254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 274, 277, 278, 279, 280, 281,
    282, 283, 284, 288, 289, 290, 291, 292, 293, 296, 301, 317, 318, 319, 320, 321, 322, 323,
    324, 325, 330, 332, 333, 336, 338, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518,
    519, 520, 521, 529, 530, 531, 532, 34665, 34675, 34853, 40965, 50674,
    50838,  # lengths of what ImageJ keeps, made anew with it
}  # fmt: skip
DESCRIPTION = 270
WHITE = 281  # MaxSampleValue
WHITES = (WHITE, 341)  # and SMaxSampleValue
SUB_FILES = 330  # SubIFDs
XMP, IPTC = 700, 33723
PROFILE = 34675
NO_DATA = 42113  # GDAL's
IMAGEJ = 50839


def is_structure(code: int) -> bool:
    """Return whether a tag says how the pixels lie in a file, so that it is not copied."""
    return code in _STRUCTURE
