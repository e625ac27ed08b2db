"""Weights come from others: what they say is checked before it is believed."""

import json
import struct

import pytest
import torch

from engine.artifacts import sha256_file
from restore.errors import RestoreError
from restore.networks import denoiser, shipped, weights_file
from restore.networks.dncnn import DnCNN
from restore.networks.variants import Architecture


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "w.safetensors"
    network = DnCNN(Architecture(3, 1, 4, batch_norm=False), torch.Generator().manual_seed(0))
    schedule = {"name": "demo", "steps": 9}
    training = {"schedule": schedule, "sets": ["a"], "start": None, "seconds": 1.5}
    denoiser.save(path, network, "dncnn-s-25", {"training": training})
    return path


def parts(path):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + size])
    return head, json.loads(head["__metadata__"]["description"]), data[8 + size :]


def put(path, head, description, body):
    head["__metadata__"]["description"] = json.dumps(description)
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (["architecture", "depth"], 10_000_000, "depth: expected 3, as there are layers"),
        (["architecture", "features"], 30_000, r"layers\.0\.weight: expected \(30000, 1, 3, 3\)"),
        (["architecture", "features"], 4.0, "features: expected a whole number, found 4.0"),
        (["architecture", "channels"], float("inf"), "channels: expected a whole number"),
        (["architecture", "residual"], "yes", "residual: expected true or false"),
        (["architecture", "dilation"], 2, "unknown key 'dilation' in architecture"),
        (["architecture"], None, "architecture: expected keys and values"),
        (["variant"], 3, "variant: expected text, found 3"),
        (["training"], None, "training: expected keys and values, found None"),
        (["training", "schedule"], {"name": "x"}, "the key 'steps' is missing"),
        (["training", "sets"], 3, "sets: expected a list of names, found 3"),
        (["training", "start"], [1], "start: expected keys and values, or nothing"),
    ],
)
def test_a_description_that_does_not_fit_is_one_line(path, keys, value, message):
    head, description, body = parts(path)
    place = description
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    put(path, head, description, body)
    with pytest.raises(RestoreError, match=message) as error:
        denoiser.load_model(path, device="cpu")
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("poison", [b"\xff\xff\xff\xff", b"\x00\x00\x80\x7f"])
def test_weights_that_are_not_finite_are_refused(path, poison):
    head, description, body = parts(path)
    put(path, head, description, body[:-4] + poison)
    with pytest.raises(RestoreError, match=r"expected finite weights, found NaN or infinite"):
        denoiser.load_model(path, device="cpu")


def test_equal_trainings_have_equal_sums_whatever_time_they_took(path, tmp_path):
    head, description, body = parts(path)
    description["training"]["seconds"] = 99.0
    other = tmp_path / "other.safetensors"
    put(other, head, description, body)
    assert sha256_file(other) != sha256_file(path)
    assert shipped.identity_of(other) == shipped.identity_of(path)
    loaded = denoiser.load_model(path, device="cpu")
    assert loaded.sha256 == shipped.identity_of(path)
    head, description, body = parts(path)
    description["architecture"]["residual"] = False
    put(other, head, description, body)
    assert shipped.identity_of(other) != shipped.identity_of(path)


def test_shipped_weights_are_known_by_their_sum():
    stored, description, shape = weights_file.stored(shipped.find("dncnn-s-15"))
    assert shape.depth == 17
    assert shipped.is_shipped(weights_file.identity(stored, description))
    assert not shipped.is_shipped("0" * 64)
