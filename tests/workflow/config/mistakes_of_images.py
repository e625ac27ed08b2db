"""Mistakes in the section `restore` of a config: key, value, and what is said."""

OF_IMAGES: list[tuple[str, str, object, str]] = [
    ("restore", "train_imags", ["photos/train"], "did you mean 'train_images'?"),
    ("restore", "test_images", ["empty"], "restore.test_images[0]: empty: expected images"),
    (
        "restore",
        "shipped",
        {"dncnn-s-7": ["noise:7"]},
        "restore.shipped: expected the name of shipped weights, found 'dncnn-s-7'; did you",
    ),
    (
        "restore",
        "models",
        {"dncnn-s-999": ["noise:25"]},
        "restore.models: model 'dncnn-s-999': expected dncnn-s-N[-nobn][-direct] (noise level",
    ),
    (
        "restore",
        "denoise",
        [{"input": "photos/train", "output": "clean {x}"}],
        "restore.denoise[0].output: expected a path without braces, found 'clean {x}'; rename",
    ),
    (
        "restore",
        "denoise",
        [{"input": "-in", "output": "clean"}],
        "restore.denoise[0].input: expected a path that does not begin with '-', found '-in'; "
        "write ./-in",
    ),
    (
        "restore",
        "test_images",
        ["photos\n"],
        "restore.test_images[0]: expected one line of text, found 'photos\\n'; remove the",
    ),
    (
        "restore",
        "baselines",
        {"median": ["noise:25"]},
        "restore.baselines: expected a baseline, found 'median'; known: nlm, wavelet, tv, bm3d",
    ),
    (
        "restore",
        "schedule",
        "notebook",
        "restore.schedule: expected a named schedule or a YAML file, found 'notebook'; known: "
        "demo, paper, best",
    ),
    ("restore", "models", {"dncnn-b": ["jpeg:0"]}, "restore.models.dncnn-b[0]: JPEG quality"),
    (
        "restore",
        "models",
        {"dncnn-b": {"test": {"photos/none": ["noise:25"]}}},
        "restore.models.dncnn-b.test: image set 'photos/none': no such folder",
    ),
    (
        "restore",
        "models",
        {"dncnn-b-color": ["noise:25"]},
        "restore.models.dncnn-b-color: expected test images in colour, found test0 in "
        "photos/test; give it colour sets of its own, as in {test: {CBSD68: [noise:25]}}",
    ),
    (
        "restore",
        "models",
        {"dncnn-r": ["camera:1600"]},
        "restore.models.dncnn-r: expected test images in colour, found test0 in photos/test",
    ),
    ("restore", "models", {"dncnn-r": ["camera:1"]}, "restore.models.dncnn-r[0]: camera ISO"),
    (
        "restore",
        "shipped",
        {"dncnn-b-color": {"test": {"BSD68": ["noise:25"]}}},
        # grey ones in BSD68, or the first of them where the set is at hand
        "restore.shipped.dncnn-b-color: expected test images in colour, found ",
    ),
    (
        "restore",
        "pairs",
        {"night": {"models": ["auto"]}},
        "restore.pairs.night: expected a set of pairs, found 'night'; known: PolyU; or name",
    ),
    (
        "restore",
        "pairs",
        {"night": {"noisy": "photos/test", "models": ["auto"]}},
        "restore.pairs.night: expected both noisy and truth, found one of them; name the other",
    ),
    (
        "restore",
        "pairs",
        {"a": {"noisy": "photos/test", "truth": "photos/train", "models": ["auto"]}},
        "restore.pairs.a: photos/test/test0.png: expected a ground truth that belongs to it",
    ),
    (
        "restore",
        "pairs",
        {"a": {"noisy": "photos/test", "truth": "photos/test", "models": ["auto"]}},
        "restore.pairs.a: truth photos/test: is the folder of the noisy images; name that of",
    ),
    (
        "restore",
        "pairs",
        {"PolyU": {"models": ["dncnn-b-colour"]}},
        "restore.pairs.PolyU.models[0]: expected auto, weights or a baseline, found 'dncnn-b",
    ),
    ("restore", "schedule", "typo.yaml", "restore.schedule: typo.yaml: unknown key 'pach'"),
    (
        "restore",
        "models",
        {"dncnn-s-25": ["noise:25"], "dncnn-s-25.0": ["noise:25"]},
        "restore.models: 'dncnn-s-25.0' means the same as 'dncnn-s-25'; remove one",
    ),
    (
        "restore",
        "models",
        {"dncnn-b": ["noise:25", "noise:25.0"]},
        "restore.models.dncnn-b[1]: expected the shortest form, found 'noise:25.0'; write noise:25",
    ),
    (
        "restore",
        "test_images",
        ["photos/test", "photos/test/"],
        "restore.test_images: 'photos/test/' means the same as 'photos/test'; remove one",
    ),
]
