"""Programs in a real meter: pieces in any fate, signatures, trials, power cuts at every byte."""

from dataclasses import replace

import pytest

from prewatt.codec.commands import Code
from prewatt.codec.events import EventCode
from prewatt.codec.program import (
    ACTIVATE_NOW,
    ACTIVATE_WITHDRAW,
    CHUNK_BYTES_MAX,
    UNIT_BYTES,
    Manifest,
    ProgramActivation,
    ProgramChunk,
    ProgramKind,
    ProgramOffer,
    ProgramStage,
    ProgramStanding,
    build_image,
)
from prewatt.codec.receipt import Status
from prewatt.crypto.program import maker_key, sign_program
from prewatt.device.meter.birth import Birth, Certificate
from prewatt.device.meter.control import Control
from prewatt.device.meter.nvm import PowerCut, Region, Torn
from prewatt.device.meter.program import CONFIRM_S, MEMORY_FORMAT, TRIAL_POWER_MAX, TRIAL_S
from prewatt.device.meter.programstate import PROGRAM_STATE_BYTES
from prewatt.device.meter.slots import Store

SEED = bytes(range(32))
MAKER = maker_key(SEED)
STEP = {"tdes-1998": UNIT_BYTES, "aes-2026": CHUNK_BYTES_MAX}


def image_of(version=7, size=2_000, memory_format=MEMORY_FORMAT):
    return build_image(version, memory_format, bytes(each % 251 for each in range(size)))


def offer_of(image, seed=SEED):
    manifest = Manifest.of(image)
    return ProgramOffer(manifest, sign_program(manifest.signed_bytes(), seed))


@pytest.fixture(params=["aes-2026", "tdes-1998"])
def rig(request, make_rig):
    made = make_rig(request.param, maker_key=MAKER)
    yield made
    made.check_law()


def standing(outcome):
    return ProgramStanding.parse(outcome.rest)


def chunks(rig, image, first=0):
    step, version = STEP[rig.suite_name], Manifest.of(image).version
    return [
        ProgramChunk(version, at // UNIT_BYTES, image[at : at + step]).build()
        for at in range(first * UNIT_BYTES, len(image), step)
    ]


def load(rig, image):
    outcome = rig.command(Code.PROGRAM_OFFER, offer_of(image).build())
    assert outcome.receipt.status is Status.DONE
    for body in chunks(rig, image):
        outcome = rig.command(Code.PROGRAM_CHUNK, body)
        assert outcome.receipt.status is Status.DONE
    return standing(outcome)


def activate(rig, version, at_s=ACTIVATE_NOW):
    return rig.command(Code.PROGRAM_ACTIVATE, ProgramActivation(version, at_s).build())


def running(rig):
    return rig.meter._core.program_version


def events(rig):
    return [event.code for event in rig.meter._core.events.read_after(0, 1_000)]


def test_a_program_is_loaded_in_pieces_started_and_confirms_itself(rig):
    image = image_of()
    loaded = load(rig, image)
    assert loaded == ProgramStanding(1, 7, -(-len(image) // UNIT_BYTES), ProgramStage.LOADED)
    assert activate(rig, 7).receipt.status is Status.DONE
    rig.tick(CONFIRM_S - 1)
    assert running(rig) == 1
    rig.tick(1)
    assert running(rig) == 7
    told = [code for code in events(rig) if code & 0xFF00 == 0x0500 and code >= EventCode.PROGRAM_LOADED]
    assert told == [EventCode.PROGRAM_LOADED, EventCode.PROGRAM_TRIED, EventCode.PROGRAM_STARTED]
    rig.power_up()
    assert running(rig) == 7


def test_it_starts_at_its_time_and_not_before(rig):
    load(rig, image_of())
    activate(rig, 7, rig.now_s + 3_600)
    rig.tick(3_599)
    assert rig.meter._core.control.program.stage is ProgramStage.WAITING
    rig.power_up()
    rig.tick(1)
    assert rig.meter._core.control.program.stage is ProgramStage.TRIAL


def test_the_next_program_goes_to_the_other_slot(rig):
    for version in (2, 3, 4):
        load(rig, image_of(version))
        activate(rig, version)
        rig.tick(CONFIRM_S)
        assert running(rig) == version
    assert rig.meter._core.control.program.slot == 0


def test_another_signature_and_a_meter_without_a_maker_take_nothing(rig, make_rig):
    image = image_of()
    before = rig.nvm.read(Region.PROGRAM_A, 0, Region.PROGRAM_A.size)
    forged = rig.command(Code.PROGRAM_OFFER, offer_of(image, bytes(32)).build())
    assert forged.receipt.status is Status.IMPOSSIBLE
    rig.control -= 1
    assert rig.nvm.read(Region.PROGRAM_A, 0, Region.PROGRAM_A.size) == before
    assert EventCode.PROGRAM_REFUSED in events(rig)
    bare = make_rig(rig.suite_name)
    assert bare.command(Code.PROGRAM_OFFER, offer_of(image).build()).receipt.status is Status.IMPOSSIBLE


def test_a_program_for_another_kind_of_meter_is_refused_and_nothing_is_written(rig, make_rig):
    image = build_image(7, MEMORY_FORMAT, bytes(100), ProgramKind.TRANSFORMER)
    before = rig.nvm.read(Region.PROGRAM_A, 0, Region.PROGRAM_A.size)
    assert rig.command(Code.PROGRAM_OFFER, offer_of(image).build()).receipt.status is Status.IMPOSSIBLE
    assert rig.nvm.read(Region.PROGRAM_A, 0, Region.PROGRAM_A.size) == before
    # The signature covers the kind.
    offer = offer_of(image)
    lied = ProgramOffer(replace(offer.manifest, kind=ProgramKind.HOME), offer.signature)
    assert rig.command(Code.PROGRAM_OFFER, lied.build()).receipt.status is Status.IMPOSSIBLE
    assert EventCode.PROGRAM_REFUSED in events(rig)


def test_an_older_or_equal_version_is_refused(rig):
    load(rig, image_of(5))
    activate(rig, 5)
    rig.tick(CONFIRM_S)
    for version in (4, 5):
        refused = rig.command(Code.PROGRAM_OFFER, offer_of(image_of(version)).build())
        assert refused.receipt.status is Status.IMPOSSIBLE
        rig.control -= 1
    assert rig.command(Code.PROGRAM_OFFER, offer_of(image_of(6)).build()).receipt.status is Status.DONE


def test_a_piece_out_of_turn_or_altered_or_of_another_version_changes_nothing(rig):
    image = image_of(size=6_000)
    rig.command(Code.PROGRAM_OFFER, offer_of(image).build())
    pieces = chunks(rig, image)
    rig.command(Code.PROGRAM_CHUNK, pieces[0])
    before = rig.memory()[Region.PROGRAM_A]
    wrong = [
        pieces[2],
        pieces[0][:-1] + bytes((pieces[0][-1] ^ 1,)),
        ProgramChunk(8, 1, image[UNIT_BYTES : 2 * UNIT_BYTES]).build(),
        ProgramChunk(7, STEP[rig.suite_name] // UNIT_BYTES, image[:100]).build(),
    ]
    for body in wrong:
        refused = rig.command(Code.PROGRAM_CHUNK, body)
        rig.control -= 1
        assert refused.receipt.status is Status.IMPOSSIBLE
        assert standing(refused).next_unit == STEP[rig.suite_name] // UNIT_BYTES
    assert rig.memory()[Region.PROGRAM_A] == before
    again = rig.command(Code.PROGRAM_CHUNK, pieces[0])
    assert again.receipt.status is Status.DONE
    for body in pieces[1:]:
        last = rig.command(Code.PROGRAM_CHUNK, body)
    assert standing(last).stage is ProgramStage.LOADED


def test_an_image_that_is_not_the_signed_one_is_never_loaded(rig):
    image = image_of()
    rig.command(Code.PROGRAM_OFFER, offer_of(image).build())
    other = image[:-1] + bytes((image[-1] ^ 1,))
    for body in chunks(rig, other):
        last = rig.command(Code.PROGRAM_CHUNK, body)
    rig.control -= 1
    assert last.receipt.status is Status.IMPOSSIBLE
    assert activate(rig, 7).receipt.status is Status.IMPOSSIBLE
    rig.control -= 1
    assert standing(activate(rig, 7, ACTIVATE_WITHDRAW)).stage is ProgramStage.NONE
    assert load(rig, image).stage is ProgramStage.LOADED


def test_the_same_offer_goes_on_where_it_stood_also_after_a_power_cut(rig):
    image = image_of(size=6_000)
    rig.command(Code.PROGRAM_OFFER, offer_of(image).build())
    rig.command(Code.PROGRAM_CHUNK, chunks(rig, image)[0])
    rig.power_up()
    again = standing(rig.command(Code.PROGRAM_OFFER, offer_of(image).build()))
    assert again.next_unit == STEP[rig.suite_name] // UNIT_BYTES
    for body in chunks(rig, image, again.next_unit):
        last = rig.command(Code.PROGRAM_CHUNK, body)
    assert standing(last).stage is ProgramStage.LOADED


@pytest.mark.parametrize("what", ["format", "digest", "version"])
def test_a_program_that_does_not_start_gives_way_to_the_one_before(rig, what):
    image = image_of(memory_format=MEMORY_FORMAT + 1) if what == "format" else image_of()
    if what == "digest":
        image = image[:-1] + bytes((image[-1] ^ 1,))
    load(rig, image)
    if what == "version":
        # The head names another version than the manifest: only a maker could sign that, and it does not start.
        image = image_of(9)
        manifest = Manifest(10, len(image), Manifest.of(image).digest)
        rig.command(Code.PROGRAM_OFFER, ProgramOffer(manifest, sign_program(manifest.signed_bytes(), SEED)).build())
        for body in chunks(rig, image):
            rig.command(Code.PROGRAM_CHUNK, (10).to_bytes(4, "big") + body[4:])
        activate(rig, 10)
    else:
        activate(rig, 7)
    rig.tick(TRIAL_S - 1)
    assert rig.meter._core.control.program.stage is ProgramStage.TRIAL
    rig.tick(1)
    assert rig.meter._core.control.program.stage is ProgramStage.NONE
    assert running(rig) == 1
    assert events(rig)[-1] == EventCode.PROGRAM_RETURNED
    assert rig.meter._core.control.alarms


def test_power_that_goes_again_and_again_in_the_trial_brings_the_old_program_back(rig):
    load(rig, image_of())
    activate(rig, 7)
    for boot in range(1, TRIAL_POWER_MAX + 1):
        rig.tick(CONFIRM_S - 1)
        rig.power_up()
        on_trial = rig.meter._core.control.program.stage is ProgramStage.TRIAL
        assert on_trial == (boot < TRIAL_POWER_MAX)
    rig.tick(TRIAL_S)
    assert running(rig) == 1


def test_power_that_goes_once_less_is_lived_through(rig):
    load(rig, image_of())
    activate(rig, 7)
    for _ in range(TRIAL_POWER_MAX - 1):
        rig.power_up()
    rig.tick(CONFIRM_S)
    assert running(rig) == 7


def test_nothing_new_is_taken_while_a_program_is_on_trial(rig):
    load(rig, image_of())
    activate(rig, 7)
    rig.tick(1)
    for code, body in (
        (Code.PROGRAM_OFFER, offer_of(image_of(8)).build()),
        (Code.PROGRAM_CHUNK, chunks(rig, image_of())[0]),
        (Code.PROGRAM_ACTIVATE, ProgramActivation(7, ACTIVATE_WITHDRAW).build()),
    ):
        assert rig.command(code, body).receipt.status is Status.IMPOSSIBLE
        rig.control -= 1


def _stages(rig, image):
    """The steps of a whole update, each to be cut at every byte."""
    pieces = chunks(rig, image)
    yield from ((Code.PROGRAM_OFFER, offer_of(image).build()), *((Code.PROGRAM_CHUNK, body) for body in pieces))
    yield Code.PROGRAM_ACTIVATE, ProgramActivation(7, ACTIVATE_NOW).build()
    yield None, b""


@pytest.mark.parametrize("torn", [Torn.OLD, Torn.GARBAGE])
def test_power_may_go_at_any_byte_of_an_update_and_it_ends_all_the_same(make_rig, torn):
    rig = make_rig("aes-2026", maker_key=MAKER)
    image = image_of(size=100)
    for code, body in _stages(rig, image):
        whole, cut = _bytes_of(rig, code, body), 0
        while cut < whole:
            _cut_at(rig, code, body, cut, torn, image)
            # Every byte of the record's own fields, and of the image; the journal's rest is cut at by its own tests.
            cut += 1 if whole < 600 else 7
        _do(rig, code, body)
    assert running(rig) == 7


@pytest.mark.parametrize("torn", [Torn.OLD, Torn.GARBAGE])
@pytest.mark.parametrize("started", [False, True])
def test_power_that_goes_while_another_program_is_offered_leaves_the_loaded_one_as_it_was(make_rig, torn, started):
    rig = make_rig("aes-2026", maker_key=MAKER)
    image, newer, newest = image_of(size=100), image_of(8, size=100), image_of(9, size=100)
    load(rig, image)
    if started:
        # Whatever of the two places counts.
        rig.command(Code.PROGRAM_OFFER, offer_of(newer).build())
        image, newer = newer, newest
        load(rig, image)
    activate(rig, Manifest.of(image).version, rig.now_s + 86_400)
    offer = offer_of(newer).build()
    for cut in range(_bytes_of(rig, Code.PROGRAM_OFFER, offer)):
        twin = _twin(rig)
        twin.power_up()
        twin.nvm.cut_after(cut, torn)
        with pytest.raises(PowerCut):
            _do(twin, Code.PROGRAM_OFFER, offer)
        twin.power_up()
        state = twin.meter._core.control.program
        assert EventCode.PROGRAM_RETURNED not in events(twin)
        assert not twin.meter._core.control.alarms
        if state.coming == Manifest.of(image).version:
            assert state.stage is ProgramStage.WAITING
            assert twin.meter._commands.programs._manifest() == Manifest.of(image)
        else:
            assert (state.coming, state.stage) == (Manifest.of(newer).version, ProgramStage.LOADING)
    twin = _twin(rig)
    twin.power_up()
    assert load(twin, newer).stage is ProgramStage.LOADED


def _do(rig, code, body):
    if code is None:
        rig.tick(CONFIRM_S)
    else:
        assert rig.command(code, body).receipt.status is Status.DONE


def _twin(rig):
    twin = type(rig)(rig.nvm.copy(), rig.suite_name, rig.keys, now_s=rig.now_s, line_ms=rig.line_ms + 100_000)
    twin.control = rig.control + 100
    return twin


def _bytes_of(rig, code, body):
    twin = _twin(rig)
    twin.power_up()
    before = twin.nvm.written_bytes
    _do(twin, code, body)
    return twin.nvm.written_bytes - before


def _cut_at(rig, code, body, cut, torn, image):
    twin = _twin(rig)
    twin.power_up()
    twin.nvm.cut_after(cut, torn)
    with pytest.raises(PowerCut):
        _do(twin, code, body)
    twin.power_up()
    stage = twin.meter._core.control.program.stage
    assert running(twin) in (1, 7)
    assert (running(twin) == 7) <= (stage is ProgramStage.NONE)
    # Whatever is there, the host gets to the end from the offer on.
    if running(twin) == 1:
        if stage is not ProgramStage.TRIAL:
            _finish(twin, image)
        twin.tick(CONFIRM_S)
    assert running(twin) == 7


def _finish(twin, image):
    found = standing(twin.command(Code.PROGRAM_OFFER, offer_of(image).build()))
    for piece in chunks(twin, image, found.next_unit):
        twin.command(Code.PROGRAM_CHUNK, piece)
    assert activate(twin, 7).receipt.status is Status.DONE


def test_a_memory_from_before_there_were_programs_is_still_read(make_rig):
    rig = make_rig("aes-2026")
    core = rig.meter._core
    built = core.control.build()
    old = bytes((2,)) + built[1:-PROGRAM_STATE_BYTES]
    assert Control.parse(old, 0) == Control.parse(built, 0)
    before = Certificate.parse(core.slots.read(Store.BIRTH, 0)[:16])
    assert before.maker_key is None
    assert before.program_version == 1
    assert before.meter_id == core.certificate.meter_id


def test_regions_of_old_memories_keep_their_place():
    names = [region.name for region in Region]
    assert names.index("PROGRAM_A") > names.index("REGISTERS")
    assert names[:4] == ["JOURNAL_A", "JOURNAL_B", "MINUTES", "MINUTES_1"]


def test_a_birth_names_what_is_wrong_with_its_maker_or_version():
    keys = {0: bytes(32), 1: bytes(32)}
    for wrong in ({"maker_key": bytes(31)}, {"program_version": 0}, {"program_version": 2**32}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Birth(b"\0\0\1", 0, "aes-2026", keys, 1_000, **wrong)
