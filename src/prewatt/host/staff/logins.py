"""How somebody shows who they are: a token, or a name with a password (and a code) for which there is a token then.

Whoever is refused learns nothing of which part was wrong, and it takes as long for a name that nobody has.
"""

import json
from typing import Final, NamedTuple

from sqlalchemy import select, update

from prewatt.host.context import HostContext, log_action
from prewatt.host.fields import is_id
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.staff.actor import ALL_SCOPES, Actor, Role, Scope
from prewatt.host.staff.answers import TokenAnswer
from prewatt.host.staff.lockout import clear_wrong, locked_s, note_wrong
from prewatt.host.staff.passwords import is_password
from prewatt.host.staff.tokens import Token
from prewatt.host.staff.totp import accepted_step
from prewatt.host.staff.users import LOGIN_LABEL, insert_token
from prewatt.host.store import Writing, schema
from prewatt.host.store.trail import By

__all__ = ["LOGIN_LIFE_S", "Logins"]

# A shift, and an hour before and after.
LOGIN_LIFE_S: Final = 12 * 3_600
# What can be no user's name is counted under one that is none either, and never stored.
_NO_NAME: Final = "-"
_HIDDEN: Final = "the one given"


class _Tried(NamedTuple):
    """What a try came to, decided inside the commit that counts it."""

    wait_s: int
    token: TokenAnswer | None


class Logins:
    """See the module. One for the whole host, whoever acts."""

    def __init__(self, context: HostContext) -> None:
        self._context = context
        self._has_users = False

    def has_users(self) -> bool:
        """Whether there are staff accounts; from the first one on there always are."""
        if not self._has_users:
            with self._context.store.reading() as connection:
                self._has_users = connection.execute(select(schema.users.c.name).limit(1)).scalar() is not None
        return self._has_users

    def actor_of(self, text: str) -> Actor:
        """Who has this token; RefusedError (NOT_KNOWN) where it is wrong, revoked, too old or of a disabled user."""
        token = Token.parse(text)
        tokens, users = schema.tokens.c, schema.users.c
        row = None
        if token is not None:
            wanted = select(tokens.digest, tokens.scopes, tokens.expires_s, users.name, users.roles)
            joined = wanted.join_from(schema.tokens, schema.users, tokens.holder == users.name)
            valid = joined.where(tokens.id == token.id, tokens.revoked_s.is_(None), ~users.disabled)
            with self._context.store.reading() as connection:
                row = connection.execute(valid).one_or_none()
        if token is None or row is None or not token.matches(row.digest):
            raise _not_known("token", "one that is valid, as `prewatt user token add` shows it once")
        if row.expires_s is not None and row.expires_s <= self._context.now():
            raise _not_known("token", "one that has not expired; ask for another")
        scopes = frozenset(map(Scope, json.loads(row.scopes))) or ALL_SCOPES
        return Actor(row.name, frozenset(map(Role, json.loads(row.roles))), scopes, f"token {token.id}")

    def login(self, name: str, password: str, code: str | None, origin: str) -> TokenAnswer:
        """A token for twelve hours. RefusedError: NOT_KNOWN where anything is wrong, LOCKED_OUT after many tries."""
        name = name if is_id(name) else _NO_NAME
        who = {"user": name, "origin": origin}
        with self._context.store.reading() as connection:
            wait_s = locked_s(connection, who, self._context.now())
            users = schema.users
            found = select(users.c.password).where(users.c.name == name, ~users.c.disabled)
            hashed = connection.execute(found).scalar()
        if wait_s:
            raise _locked_out(wait_s)
        right = is_password(hashed, password)
        by = By(name if hashed is not None else "unknown", origin)
        work = _Try(self._context, who, hashed if right else None, code)
        tried = self._context.store.submit(work, by).result()
        if tried.token is not None:
            return tried.token
        raise _locked_out(tried.wait_s) if tried.wait_s else _not_known("login", "a name with its password and code")


class _Try:
    """Inside the commit: counts a wrong try, or makes the token. Tries that came at once are counted one by one."""

    def __init__(self, context: HostContext, who: dict[str, str], hashed: str | None, code: str | None) -> None:
        self._context, self._who, self._hashed, self._code = context, who, hashed, code

    def __call__(self, writing: Writing) -> _Tried:
        now_s, name = self._context.now(), self._who["user"]
        wait_s = locked_s(writing.connection, self._who, now_s)
        if wait_s:
            return _Tried(wait_s, None)
        if not self._is_right(writing, now_s):
            wait_s = note_wrong(writing, self._who, now_s)
            if wait_s:
                log_action(writing, now_s, "login locked", name, f"{wait_s} s, from {self._who['origin']}")
            return _Tried(wait_s, None)
        clear_wrong(writing, self._who)
        made = insert_token(writing, self._context, name, LOGIN_LABEL, (), now_s + LOGIN_LIFE_S)
        log_action(writing, now_s, "login", name, f"token {made.id}")
        return _Tried(0, made)

    def _is_right(self, writing: Writing, now_s: int) -> bool:
        """Password as it was verified, and the code where the user has one; that code is used up."""
        users = schema.users
        row = writing.connection.execute(select(users).where(users.c.name == self._who["user"])).one_or_none()
        if self._hashed is None or row is None or row.disabled or row.password != self._hashed:
            return False
        if row.totp is None:
            return True
        step = accepted_step(row.totp, self._code or "", now_s, row.totp_step)
        if step is None:
            return False
        writing.connection.execute(update(users).where(users.c.name == row.name).values(totp_step=step))
        return True


def _not_known(field: str, allowed: str) -> RefusedError:
    return RefusedError(RefusalOutcome.NOT_KNOWN, field, _HIDDEN, allowed)


def _locked_out(wait_s: int) -> RefusedError:
    return RefusedError(RefusalOutcome.LOCKED_OUT, "login", _HIDDEN, f"after {wait_s} s: too many tries were wrong")
