"""The host's half of a value session, bytes to bytes, against the bare crypto calls that it cannot do without.

Ours derives the terminal key as dispatch does, makes the Hello, checks the Proof, makes the Command, opens the Result
and reads the receipt. The baseline does only the cipher work of that, with the primitives of the library underneath,
on inputs that lie ready. Each turn works through many sessions with keys of their own, so that no cached key helps.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import cycle

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB
from cryptography.hazmat.primitives.cmac import CMAC

from bench.harness import Result, compare, rates_at_least
from prewatt.codec.bodies import Transfer
from prewatt.codec.commands import Code
from prewatt.codec.receipt import Receipt, Status
from prewatt.crypto import Suite, suite
from prewatt.protocol.host import Command, Done, HostSession, Send
from prewatt.protocol.terminal import Answer, Execute, TerminalIdentity, TerminalSession
from prewatt.units import MeterId, Micro, Sequence

__all__ = ["run"]

SESSIONS = 3_000
GOAL = 0.3


@dataclass(frozen=True, slots=True)
class Script:
    """One session that was held in full before: what the host's half is given, and the bytes that are enciphered."""

    meter_id: MeterId
    command: Command
    random: bytes
    hello: bytes
    proof: bytes
    sealed: bytes
    result: bytes


def run() -> list[Result]:
    """Both suites."""
    return [_compared("aes-2026", _bare_aes), _compared("tdes-1998", _bare_tdes)]


def _compared(name: str, bare_of: Callable[[bytes, Script], Callable[[], object]]) -> Result:
    used = suite(name)
    master = sha256(b"bench").digest()[: used.master_bytes]
    scripts = [_script(used, master, n) for n in range(1, SESSIONS + 1)]
    ours = cycle(scripts)
    theirs = cycle([bare_of(master, script) for script in scripts])

    def session() -> None:
        script = next(ours)
        key = used.terminal_key(master, script.meter_id)
        host = HostSession(script.meter_id, used, 0, key, script.command, script.random)
        host.hello()
        host.receive(script.proof)
        if not isinstance(host.receive(script.result), Done):
            raise RuntimeError("a session of the benchmark did not end well")

    rates = compare(session, lambda: next(theirs)(), 3.0)
    return rates_at_least(f"core.session_{name.replace('-', '_')}", rates, "sessions/s", GOAL)


def _script(used: Suite, master: bytes, n: int) -> Script:
    """Holds one session, so that the host's half can run again alone."""
    meter_id = MeterId(n.to_bytes(3, "big"))
    key = used.terminal_key(master, meter_id)
    random = sha256(meter_id).digest()
    command = Command(Code.VALUE, Sequence(n), Transfer(10_000_000, random[:8]).build())
    host = HostSession(meter_id, used, 0, key, command, random)
    terminal = TerminalSession(TerminalIdentity(meter_id, used, {0: key}))
    hello = host.hello()
    proof = terminal.receive(hello, line_ms=0, random=random)
    if not isinstance(proof, Answer):
        raise RuntimeError("no Proof")
    sent = host.receive(proof.payload)
    if not isinstance(sent, Send) or not isinstance(terminal.receive(sent.payload, line_ms=0, random=random), Execute):
        raise RuntimeError("no Command")
    receipt = Receipt(Micro(10_000_000), meter_id, Status.DONE, Sequence(n), random[:8], 10_000_000, 0)
    result = terminal.result(receipt.build())
    return Script(meter_id, command, random, hello, proof.payload, sent.payload, result)


def _bare_aes(master: bytes, script: Script) -> Callable[[], object]:
    """KT in 2 blocks, Ks in 3, a MAC for the Proof, SIV and MAC for the Command, SIV for the Result."""
    derivations = [bytes(28)] * 2
    session_derivations = [bytes(48)] * 3
    key = sha256(script.random).digest()
    siv_key, mac_key = key, key[:16]
    plain, said = script.command.body, script.hello + script.proof
    proof_input, body_context = b"t" + script.hello + script.proof[17:], said + script.sealed[1:6]
    command_input = b"h" + said + script.sealed[1:-16]
    result_context = said + script.sealed
    sealed_result = AESSIV(siv_key).encrypt(script.result[17:], [result_context])
    master_mac = CMAC(AES(master))

    def ciphers() -> None:
        _macs(master_mac, derivations)
        _macs(CMAC(AES(key)), session_derivations)
        mac, siv = CMAC(AES(mac_key)), AESSIV(siv_key)
        _macs(mac, (proof_input, command_input))
        siv.encrypt(plain, [body_context])
        siv.decrypt(sealed_result, [result_context])

    return ciphers


def _macs(mac: CMAC, inputs: Iterable[bytes]) -> None:
    for data in inputs:
        one = mac.copy()
        one.update(data)
        one.finalize()


def _bare_tdes(master: bytes, script: Script) -> Callable[[], object]:
    """KT, Ks, the chain of the Proof, blocks and chain of the Command, chain and blocks of the Result."""
    proof_input, result_input = bytes(16), bytes(56)
    command_input = bytes(40)
    body, sealed_result = bytes(24), script.result[1:-8]
    key = script.random[:16]
    master_blocks = Cipher(TripleDES(master + master[:8]), ECB())

    def ciphers() -> None:
        master_blocks.encryptor().update(proof_input)
        Cipher(TripleDES(key + key[:8]), ECB()).encryptor().update(proof_input)
        blocks, chain = Cipher(TripleDES(key + key[:8]), ECB()), Cipher(TripleDES(key + key[:8]), CBC(bytes(8)))
        chain.encryptor().update(proof_input)
        blocks.encryptor().update(body)
        chain.encryptor().update(command_input)
        chain.encryptor().update(result_input)
        blocks.decryptor().update(sealed_result)

    return ciphers
