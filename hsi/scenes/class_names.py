"""Names of the classes of scenes that the field knows."""

# By class number, from 1.
CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "IndianPines": (
        "Alfalfa",
        "Corn-notill",
        "Corn-mintill",
        "Corn",
        "Grass-pasture",
        "Grass-trees",
        "Grass-pasture-mowed",
        "Hay-windrowed",
        "Oats",
        "Soybean-notill",
        "Soybean-mintill",
        "Soybean-clean",
        "Wheat",
        "Woods",
        "Buildings-Grass-Trees-Drives",
        "Stone-Steel-Towers",
    ),
    "PaviaU": (
        "Asphalt",
        "Meadows",
        "Gravel",
        "Trees",
        "Painted metal sheets",
        "Bare Soil",
        "Bitumen",
        "Self-Blocking Bricks",
        "Shadows",
    ),
    "Salinas": (
        "Brocoli_green_weeds_1",
        "Brocoli_green_weeds_2",
        "Fallow",
        "Fallow_rough_plow",
        "Fallow_smooth",
        "Stubble",
        "Celery",
        "Grapes_untrained",
        "Soil_vinyard_develop",
        "Corn_senesced_green_weeds",
        "Lettuce_romaine_4wk",
        "Lettuce_romaine_5wk",
        "Lettuce_romaine_6wk",
        "Lettuce_romaine_7wk",
        "Vinyard_untrained",
        "Vinyard_vertical_trellis",
    ),
}


def known_names(name: str, top: int) -> list[str]:
    """Return the names of the classes 1 to `top` of a scene: its own, or made up."""
    plain = name.lower().replace("_", "").removesuffix("gt").removesuffix("corrected")
    plain = "salinas" if plain == "salinasa" else plain  # a part of it, with the same numbers
    for known, names in CLASS_NAMES.items():
        if plain == known.lower() and top <= len(names):
            return list(names)
    return [f"class {number}" for number in range(1, top + 1)]
