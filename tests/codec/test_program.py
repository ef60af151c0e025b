"""Images, manifests and the bodies that carry them: exact bytes both ways, and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.commands import FILLED_DATA_BYTES_MAX, OPEN_BODY_BYTES_MAX, Code, fill_body, strip_body
from prewatt.codec.errors import DecodeError
from prewatt.codec.program import (
    CHUNK_BYTES_MAX,
    IMAGE_BYTES_MAX,
    IMAGE_BYTES_MIN,
    IMAGE_KIND_AT,
    MANIFEST_BYTES,
    PROGRAM_VERSION_MAX,
    SIGNATURE_BYTES,
    UNIT_BYTES,
    ImageHead,
    Manifest,
    ProgramActivation,
    ProgramChunk,
    ProgramKind,
    ProgramOffer,
    ProgramStage,
    ProgramStanding,
    build_image,
)

versions = st.integers(1, PROGRAM_VERSION_MAX)
offers = st.builds(
    ProgramOffer,
    st.builds(Manifest, versions, st.integers(IMAGE_BYTES_MIN, IMAGE_BYTES_MAX), st.binary(min_size=32, max_size=32)),
    st.binary(min_size=SIGNATURE_BYTES, max_size=SIGNATURE_BYTES),
)
chunks = st.builds(ProgramChunk, versions, st.integers(0, 2**16 - 1), st.binary(min_size=1, max_size=CHUNK_BYTES_MAX))
activations = st.builds(ProgramActivation, versions, st.integers(0, 2**32 - 1))
standings = st.builds(
    ProgramStanding,
    versions,
    st.integers(0, PROGRAM_VERSION_MAX),
    st.integers(0, 2**16 - 1),
    st.sampled_from(ProgramStage),
)
LAW = settings(deadline=None, max_examples=150)


@LAW
@given(st.one_of(offers, chunks, activations, standings))
def test_what_is_built_is_parsed_again(message):
    assert type(message).parse(message.build()) == message


@LAW
@given(st.sampled_from([ProgramOffer, ProgramChunk, ProgramActivation, ProgramStanding]), st.binary(max_size=2_000))
def test_random_bytes_parse_to_what_builds_them_or_not_at_all(kind, data):
    try:
        parsed = kind.parse(data)
    except DecodeError:
        return
    assert parsed.build() == data


@LAW
@given(st.one_of(offers, activations, standings), st.integers(1, 200))
def test_a_truncated_or_extended_message_is_refused(message, cut):
    data = message.build()
    for wrong in (data[:-1], data[: max(0, len(data) - cut)], data + bytes(cut)):
        with pytest.raises(DecodeError):
            type(message).parse(wrong)


def test_every_body_fits_both_suites():
    offer = ProgramOffer(Manifest(1, IMAGE_BYTES_MIN, bytes(32)), bytes(SIGNATURE_BYTES)).build()
    unit = ProgramChunk(1, 0, bytes(UNIT_BYTES)).build()
    chunk = ProgramChunk(1, 0, bytes(CHUNK_BYTES_MAX)).build()
    assert max(len(offer), len(unit)) <= FILLED_DATA_BYTES_MAX
    assert len(chunk) <= OPEN_BODY_BYTES_MAX
    for code, body in ((Code.PROGRAM_OFFER, offer), (Code.PROGRAM_CHUNK, unit)):
        filled = fill_body(code, 1, body)
        assert len(filled) == 256
        assert strip_body(code, 1, filled) == body


def test_a_chunk_is_never_empty_nor_longer_than_its_limit():
    for size in (0, CHUNK_BYTES_MAX + 1):
        with pytest.raises(ValueError, match=str(CHUNK_BYTES_MAX)):
            ProgramChunk(1, 0, bytes(size)).build()
        with pytest.raises(DecodeError):
            ProgramChunk.parse(bytes(6) + bytes(size))


@LAW
@given(versions, st.integers(0, 255), st.binary(max_size=500), st.sampled_from(ProgramKind))
def test_an_image_says_what_it_is(version, memory_format, body, kind):
    image = build_image(version, memory_format, body, kind)
    head = ImageHead.parse(image)
    assert (head.version, head.memory_format, head.body_bytes) == (version, memory_format, len(body))
    assert head.holds(image)
    assert image[IMAGE_KIND_AT] == head.kind == kind
    manifest = Manifest.of(image)
    assert (manifest.version, manifest.size, manifest.kind) == (version, len(image), kind)
    assert len(manifest.build()) == MANIFEST_BYTES
    other = bytearray(image)
    other[IMAGE_KIND_AT] = max(ProgramKind) + 1
    with pytest.raises(DecodeError, match="kind"):
        Manifest.of(bytes(other))
    assert (manifest.units - 1) * UNIT_BYTES < len(image) <= manifest.units * UNIT_BYTES


@LAW
@given(st.binary(max_size=300), st.data())
def test_an_altered_image_is_another_or_none(body, data):
    image = bytearray(build_image(3, 3, body))
    at = data.draw(st.integers(0, len(image) - 1))
    image[at] ^= data.draw(st.integers(1, 255))
    try:
        changed = Manifest.of(bytes(image))
    except (DecodeError, ValueError):
        return
    assert changed != Manifest.of(build_image(3, 3, body))


def test_an_image_is_at_most_what_a_slot_holds():
    whole = build_image(1, 3, bytes(IMAGE_BYTES_MAX - IMAGE_BYTES_MIN))
    assert len(whole) == IMAGE_BYTES_MAX
    assert Manifest.of(whole).size == IMAGE_BYTES_MAX
    with pytest.raises(ValueError, match="image bytes"):
        build_image(1, 3, bytes(IMAGE_BYTES_MAX - IMAGE_BYTES_MIN + 1))
    for version in (0, PROGRAM_VERSION_MAX + 1):
        with pytest.raises(ValueError, match="version"):
            build_image(version, 3, b"")
    for size in (IMAGE_BYTES_MIN - 1, IMAGE_BYTES_MAX + 1):
        with pytest.raises(ValueError, match="size"):
            Manifest(1, size, bytes(32))


def test_no_stage_beyond_the_last():
    with pytest.raises(DecodeError):
        ProgramStanding.parse(bytes(10) + b"\5")
