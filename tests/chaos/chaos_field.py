"""The hostile field: what lies between host and meters, and does to messages whatever it likes.

It has no key. It loses, doubles, delays, reorders, bends and records messages, plays them to whoever it likes long
afterwards, answers in other meters' names, and makes up bytes of its own.
"""

from prewatt.codec.frame import FrameFlags
from prewatt.codec.messages import MessageType
from prewatt.device.meter import LineFrame

AIR_MAX = 80
ARCHIVE_MAX = 1_500
GARBAGE_BYTES_MAX = 2_700
BURST_MAX = 40
KINDS = tuple(MessageType)


class Field:
    """Messages under way, as (to, meter, payload) with ``to`` "host" or "meter"; and all that ever were."""

    def __init__(self, world):
        self.world = world
        self.air = []
        self.archive = []
        self.sent = 0

    def send(self, to, meter, payload):
        self.sent += 1
        self.air.append((to, meter, payload))
        if len(self.air) > AIR_MAX:
            del self.air[0]
        if len(self.archive) < ARCHIVE_MAX:
            self.archive.append((to, meter, payload))
        else:
            self.archive[self.sent * 7_919 % ARCHIVE_MAX] = (to, meter, payload)

    # -- honest carrying

    def deliver(self, index):
        """One message arrives; those to the host take along what else waits there, as a station's batch does."""
        to, meter, payload = self.air.pop(index)
        if to == "meter":
            self.to_meter(meter, payload)
        else:
            self.to_host([(meter, payload)])

    def deliver_batch(self):
        up = [message for message in self.air if message[0] == "host"]
        self.air = [message for message in self.air if message[0] != "host"]
        if up:
            self.to_host([(meter, payload) for _, meter, payload in up])

    def to_meter(self, meter, payload, **spoilt):
        body = self.world.bodies.get(meter)
        if body is None:
            return
        self.world.frames += 1
        frame = body.frame(payload, self.world.frames % 256, **spoilt)
        for answer in body.step(LineFrame(frame)):
            self.send("host", meter, answer)

    def to_host(self, messages):
        self.world.arrived([(bytes.fromhex(meter), payload) for meter, payload in messages])

    # -- what it may do; each takes its own chance

    def op_deliver(self, chance):
        if self.air:
            first = chance.random() < 0.75
            index = 0 if first else chance.randrange(len(self.air))
            if chance.random() < 0.06:
                self.air.insert(index, self.air[index])
            if chance.random() < 0.25:
                self.deliver_batch()
            else:
                self.deliver(index)

    def op_burst(self, chance):
        """The line behaves for a while."""
        for _ in range(chance.randrange(4, BURST_MAX)):
            if not self.air:
                self.world.tick()
                if not self.air:
                    return
            self.world.line_ms += 40
            self.deliver(0)

    def op_drop(self, chance):
        if self.air:
            del self.air[chance.randrange(len(self.air))]

    def op_drop_all(self, chance):
        self.air.clear()

    def op_replay(self, chance):
        if self.archive:
            recent = chance.random() < 0.5
            index = chance.randrange(max(0, len(self.archive) - 40) if recent else 0, len(self.archive))
            to, meter, payload = self.archive[index]
            if to == "meter":
                self.to_meter(meter, payload)
            else:
                self.to_host([(meter, payload)])

    def op_bend(self, chance):
        """A few bits of a message flip, or it is cut short, or it grows."""
        if not self.air:
            return
        index = chance.randrange(len(self.air))
        to, meter, payload = self.air[index]
        bent = bytearray(payload)
        for _ in range(chance.choice((1, 1, 1, 2, 8))):
            if bent:
                bent[chance.randrange(min(len(bent), 40) if chance.random() < 0.3 else len(bent))] ^= (
                    1 << chance.randrange(8)
                )
        how = chance.random()
        if how < 0.1 and bent:
            del bent[chance.randrange(len(bent)) :]
        elif how < 0.2:
            bent += chance.randbytes(chance.randrange(1, 20))
        self.air[index] = (to, meter, bytes(bent[:2_600]))

    def op_misroute(self, chance):
        """A message goes to, or is said to come from, another meter."""
        pool = self.air or self.archive
        if not pool:
            return
        to, _meter, payload = chance.choice(pool)
        other = self.world.some_body(chance)
        if to == "meter":
            self.to_meter(other.meter, payload)
        else:
            self.to_host([(other.meter, payload)])

    def op_crosstalk(self, chance):
        """A frame with the right M-ID and a wrong id, or the reverse, or as if a meter had sent it."""
        if self.archive:
            _, _meter, payload = chance.choice(self.archive)
            body = self.world.some_body(chance)
            spoilt = chance.choice(
                ({"m_id": body.m_id ^ 1}, {"meter_id": b"\x7f\x7f\x7f"}, {"flags": FrameFlags.UP}, {"flags": 0x40})
            )
            self.to_meter(
                body.meter,
                payload,
                **{key: FrameFlags(value) if key == "flags" else value for key, value in spoilt.items()},
            )

    def op_garbage(self, chance):
        """Bytes of its own, to the host or to a meter, under a type that exists or not."""
        body = self.world.some_body(chance)
        length = chance.choice((0, 1, 2, 7, 40, 100, chance.randrange(GARBAGE_BYTES_MAX)))
        payload = chance.randbytes(length)
        if payload and chance.random() < 0.8:
            payload = bytes((chance.choice(KINDS),)) + payload[1:]
        if chance.random() < 0.6:
            named = chance.random()
            meter_id = body.meter_id if named < 0.8 else chance.randbytes(3)
            self.world.arrived([(meter_id, payload)])
        elif chance.random() < 0.5:
            for answer in body.step(LineFrame(payload)):
                self.send("host", body.meter, answer)
        else:
            self.to_meter(body.meter, payload[:2_600])

    def op_refuse(self, chance):
        """The station refuses in a meter's name."""
        body = self.world.some_body(chance)
        self.to_host([(body.meter, bytes((MessageType.REFUSAL, chance.randrange(1, 9))))])
