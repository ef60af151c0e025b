"""What tests of replaced and lost meters share: the old meter and the new one, and what happens to them in a day."""

OLD, NEW = "000001", "000002"


def burn(world, pulses):
    """The old body burns, and says so (a poll a day later)."""
    world.bodies[OLD].burn(pulses)
    report(world)


def report(world, body=None, meter=OLD):
    """A body tells its sums, as the meter of this id."""
    for payload in (body or world.bodies[meter]).report():
        world.say(meter, payload)


def sound(world):
    """The audit agrees; gives its answer."""
    answer = world.host.audit.run()
    assert answer.ok, answer.violations
    return answer


def poll(world):
    """The next day's poll."""
    world.now_s += 86_400
    world.settle(2)


def retire(world):
    """The old body is asked to take no more value, and is read."""
    world.host.bodies.retire(OLD, "worn out")
    world.settle(2)
    sound(world)


def people(world):
    """What the rules ask of people after a restore: explain what is no order of the books, then reconcile."""
    world.settle(4)
    for meter in world.host.registry.read_meters():
        if "reconcile" in (meter.state_reason or ""):
            world.host.registry.reconcile(meter.id, "the till agrees")
    world.settle(3)
