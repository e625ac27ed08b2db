"""Mistakes in the section `hsi` of a config: key, value, and what is said."""

MAP = {"scene": "field.npy", "model": "svm.safetensors"}
OF_SCENES: list[tuple[str, str, object, str]] = [
    (
        "hsi",
        "schedule",
        "notebok",
        "hsi.schedule: expected a named schedule or a YAML file, found 'notebok'; did you mean "
        "'notebook'?",
    ),
    (
        "hsi",
        "classifiers",
        ["svn"],
        "hsi.classifiers[0]: expected a classifier, found 'svn'; did you mean 'svm'?",
    ),
    (
        "hsi",
        "schedules",
        {"svm": "best"},
        "hsi.schedules: expected a network, found 'svm'; known: hybridsn, hybridsn-11,",
    ),
    (
        "hsi",
        "restoration",
        {"degradations": ["rain:3"]},
        "hsi.restoration.degradations[0]: `degradation` rain:3: expected a form such as",
    ),
    (
        "hsi",
        "restoration",
        {"methods": ["bm4d"]},
        "hsi.restoration.methods[0]: `method` bm4d: expected one of noisy, band-by-band",
    ),
    (
        "hsi",
        "denoise_then_classify",
        {"noises": ["clean", "gaussian:0"]},
        "hsi.denoise_then_classify.noises[1]: `degradation` gaussian:0: expected numbers from",
    ),
    (
        "hsi",
        "denoise_then_classify",
        {"arms": ["denoise", "raw"]},
        "hsi.denoise_then_classify.arms[1]: `method` raw: expected one of noisy, band-by-band",
    ),
    (
        "hsi",
        "denoise_then_classify",
        {"splits": ["mask:a/m.npz", "mask:b/m.npz"]},
        "hsi.denoise_then_classify.splits[0]: a/m.npz: no such file",
    ),
    (
        "hsi",
        "schedule",
        "user's short.yaml",
        "hsi.schedule: user's short.yaml: unknown key 'patch'",
    ),
    (
        "hsi",
        "splits",
        ["mask:field_gt.npy", "mask:photos/../field_gt.npy"],
        "hsi.splits[1]: two splits are called 'mask:field_gt'; rename one file",
    ),
    (
        "hsi",
        "maps",
        {"m": MAP | {"memory": "2 gigs"}},
        "hsi.maps.m.memory: 2 gigs: expected a size such as 2GiB or 500MiB",
    ),
    (
        "hsi",
        "study",
        {"candidates": "none.yaml"},
        "hsi.study.candidates: expected a file, found no file 'none.yaml'",
    ),
    (
        "hsi",
        "scenes",
        {"field": {"cube": "none.npy", "labels": "field_gt.npy"}},
        "hsi.scenes.field.cube: none.npy: no such file",
    ),
    (
        "hsi",
        "scenes",
        {"field": {"cube": "field.npy:foo", "labels": "field_gt.npy"}},
        "hsi.scenes.field.cube: field.npy: a .npy file holds one array; leave out ':foo'",
    ),
    (
        "hsi",
        "scenes",
        {"field": {"cube": "s.tif:foo", "labels": "field_gt.npy"}},
        "hsi.scenes.field.cube: s.tif: a GeoTIFF holds one array; leave out ':foo'",
    ),
    (
        "hsi",
        "scenes",
        {"field": {"cube": "both.npz:cube", "labels": "both.npz:gt"}},
        "hsi.scenes.field.labels: both.npz: no variable 'gt'; the file holds cube (28, 30, 16)",
    ),
    (
        "hsi",
        "scenes",
        {"field": {"cube": "field_gt.npy", "labels": "field_gt.npy"}},
        "hsi.scenes.field.cube: field_gt: expected a cube (rows, columns, bands), found shape",
    ),
    (
        "hsi",
        "scenes",
        {"field": {"cube": "field.npy", "labels": "half_gt.npy"}},
        "hsi.scenes.field.labels: expected the 28 × 30 pixels of the cube, found 14 × 30; name the",
    ),
    (
        "hsi",
        "restoration",
        {"scenes": {"field": "field.npy:foo"}},
        "hsi.restoration.scenes.field: field.npy: a .npy file holds one array; leave out ':foo'",
    ),
    (
        "hsi",
        "splits",
        ["mask:field_gt.npy:foo"],
        "hsi.splits[0]: field_gt.npy: a .npy file holds one array; leave out ':foo'",
    ),
    (
        "hsi",
        "maps",
        {"m": MAP | {"strips": 29}},
        "hsi.maps.m.strips: expected at most 28, one per row of field.npy, found 29; ask for fewer",
    ),
    (
        "hsi",
        "maps",
        {"m": MAP | {"scene": "IndianPines", "strips": 146}},
        "hsi.maps.m.strips: expected at most 145, one per row of IndianPines, found 146",
    ),
    (
        "hsi",
        "maps",
        {"m": MAP | {"confidence": True}},
        "hsi.maps.m.confidence: expected a model with probabilities, found one of svm, which has "
        "none; use hybridsn or forest",
    ),
    (
        "hsi",
        "maps",
        {"m": MAP | {"probabilities": True}},
        "hsi.maps.m.probabilities: expected a model with probabilities, found one of svm",
    ),
    (
        "hsi",
        "maps",
        {"m": MAP | {"model": "field.npy"}},
        "hsi.maps.m.model: field.npy: expected a whole .safetensors file, found something else",
    ),
    (
        "hsi",
        "maps",
        {"m": MAP | {"model": "other.safetensors"}},
        "hsi.maps.m.model: other.safetensors: expected a model of hsi train, found other weights",
    ),
    (
        "hsi",
        "maps",
        {"m": MAP | {"memory": "2"}},
        "hsi.maps.m.memory: 2: expected more than the 272 MiB that a map takes beside its blocks, "
        "found 1 KiB; write 2GiB, or leave it out",
    ),
    (
        "hsi",
        "splits",
        ["random:0.2", "random:0.20"],
        "hsi.splits: 'random:0.20' means the same as 'random:0.2'; remove one",
    ),
    (
        "hsi",
        "denoise_then_classify",
        {"splits": ["polygons:.5", "random:.5", "polygons:0.5"]},
        "hsi.denoise_then_classify.splits: 'polygons:0.5' means the same as 'polygons:.5'; remove",
    ),
    (
        "hsi",
        "denoise_then_classify",
        {"noises": ["clean", "gaussian:25", "gaussian:25.0"]},
        "hsi.denoise_then_classify.noises: 'gaussian:25.0' means the same as 'gaussian:25'; remove",
    ),
    (
        "hsi",
        "restoration",
        {"degradations": ["stripes:0.1-0.2", "stripes:0.10-0.20"]},
        "hsi.restoration.degradations: 'stripes:0.10-0.20' means the same as 'stripes:0.1-0.2'; r",
    ),
    ("hsi", "seeds", [1, 1.0], "hsi.seeds: 1.0 is listed twice; remove one"),
    ("hsi", "classifiers", ["svm", "svm"], "hsi.classifiers: 'svm' is listed twice; remove one"),
]
