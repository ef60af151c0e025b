"""Users, their roles, passwords and codes, and their tokens. The first user is an owner; one owner always remains."""

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, func, insert, select, update

from prewatt.host.context import HostContext, log_action
from prewatt.host.fields import check_id, check_text, is_id
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.staff.actor import RESERVED_NAMES, Role, Scope
from prewatt.host.staff.answers import SelfAnswer, TokenAnswer, UserAnswer
from prewatt.host.staff.passwords import SALT_BYTES, check_password, hash_password
from prewatt.host.staff.tokens import Token
from prewatt.host.staff.totp import SECRET_BYTES, key_uri
from prewatt.host.store import Writing, schema
from prewatt.units import DAY_S

__all__ = ["LOGIN_LABEL", "TOKEN_DAYS_MAX", "USERS_MAX", "Users", "insert_token"]

# Ten years; a token that nobody renews is one that nobody looks after.
TOKEN_DAYS_MAX: Final = 3_650
# A seller's staff and programs; more says that something makes users by itself.
USERS_MAX: Final = 10_000
TOKENS_OF_USER_MAX: Final = 1_000
LOGIN_LABEL: Final = "login"
_TOKEN_ID_CHARS: Final = 12


class Users:
    """See the module."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def read_self(self) -> SelfAnswer:
        """Who asks."""
        actor = self._context.actor
        return SelfAnswer(
            actor.name, tuple(sorted(actor.roles)), tuple(sorted(actor.scopes)), actor.via, self._context.origin
        )

    def read_all(self) -> list[UserAnswer]:
        """All users, by name."""
        with self._context.store.reading() as connection:
            rows = connection.execute(select(schema.users).order_by(schema.users.c.name)).all()
        return [_answer(row) for row in rows]

    def add(self, name: str, roles: Sequence[str], password: str | None = None) -> UserAnswer:
        """A new user; without a password one that only has tokens. The first has to be an owner."""
        check_id(name, field="name")
        if name in RESERVED_NAMES:
            allowed = f"a name other than {', '.join(sorted(RESERVED_NAMES))}, which the log uses for others"
            raise RefusedError(RefusalOutcome.BAD_FIELD, "name", name, allowed)
        wanted, hashed = _roles(roles), self._hash(password)

        def write(writing: Writing) -> Row[Any]:
            users, now_s = schema.users, self._context.now()
            count = writing.connection.execute(select(func.count()).select_from(users)).scalar_one()
            if _find(writing, name) is not None:
                raise RefusedError(RefusalOutcome.USER_EXISTS, "name", name, "a name that no user has had")
            if count >= USERS_MAX:
                raise RefusedError(RefusalOutcome.BAD_FIELD, "name", name, f"at most {USERS_MAX} users")
            if not count and Role.OWNER not in wanted:
                raise RefusedError(RefusalOutcome.BAD_FIELD, "roles", ", ".join(wanted), "owner, for the first user")
            values = {"name": name, "roles": json.dumps(wanted), "password": hashed, "totp": None, "totp_step": 0}
            writing.connection.execute(insert(users).values(**values, disabled=False, made_s=now_s))
            log_action(writing, now_s, "user add", name, ", ".join(wanted), after={"roles": wanted})
            return _known(writing, name)

        return _answer(self._context.store.write(write))

    def change(
        self, name: str, *, roles: Sequence[str] | None = None, password: str | None = None, totp: str | None = None
    ) -> UserAnswer:
        """Changes what is given; ``totp`` is `new` (another secret, shown once in the answer) or `off`.

        A new password ends every login of the user.
        """
        changes: dict[str, Any] = {}
        secret = self._context.random(SECRET_BYTES) if totp == "new" else None
        if roles is not None:
            changes["roles"] = json.dumps(_roles(roles))
        if password is not None:
            changes["password"] = self._hash(password)
        if totp is not None:
            if totp not in ("new", "off"):
                raise RefusedError(RefusalOutcome.BAD_FIELD, "totp", totp, "new or off")
            changes |= {"totp": secret, "totp_step": 0}
        if not changes:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "change", "nothing", "roles, a password or totp")
        row = self._context.store.write(lambda writing: self._change(writing, name, changes, "user change"))
        uri = None if secret is None else key_uri(secret, name, self._context.installation.name)
        return _answer(row, uri)

    def disable(self, name: str) -> UserAnswer:
        """The user may do nothing any more; none of the tokens opens."""
        return _answer(self._context.store.write(lambda w: self._change(w, name, {"disabled": True}, "user disable")))

    def enable(self, name: str) -> UserAnswer:
        """The user may again do what the roles allow; tokens that were not revoked open again."""
        return _answer(self._context.store.write(lambda w: self._change(w, name, {"disabled": False}, "user enable")))

    def read_tokens(self, name: str) -> list[TokenAnswer]:
        """Tokens of a user, newest first."""
        if not is_id(name):
            raise unknown_user(name)
        tokens = schema.tokens
        wanted = select(tokens).where(tokens.c.holder == name).order_by(tokens.c.made_s.desc(), tokens.c.id)
        with self._context.store.reading() as connection:
            if connection.execute(select(schema.users.c.name).where(schema.users.c.name == name)).scalar() is None:
                raise unknown_user(name)
            return [_token_answer(row) for row in connection.execute(wanted)]

    def add_token(self, name: str, label: str, scopes: Sequence[str] = (), days: int | None = None) -> TokenAnswer:
        """A new token; its text is in this answer alone. ``days`` from now it expires, where given."""
        named, wanted = check_text(label, field="label"), _scopes(scopes)
        if days is not None and not 1 <= days <= TOKEN_DAYS_MAX:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "days", days, f"1 to {TOKEN_DAYS_MAX}")

        def write(writing: Writing) -> TokenAnswer:
            now_s = self._context.now()
            if _known(writing, name).disabled:
                raise RefusedError(RefusalOutcome.UNKNOWN_USER, "user", name, "a user who is not disabled")
            expires_s = None if days is None else now_s + days * DAY_S
            made = insert_token(writing, self._context, name, named, wanted, expires_s)
            log_action(writing, now_s, "token add", name, f"token {made.id}: {named}", after={"scopes": list(wanted)})
            return made

        return self._context.store.write(write)

    def revoke_token(self, token: str) -> TokenAnswer:
        """The token opens nothing any more; twice is once."""

        def write(writing: Writing) -> Row[Any]:
            tokens, now_s = schema.tokens, self._context.now()
            wanted = select(tokens).where(tokens.c.id == token)
            row = writing.connection.execute(wanted).one_or_none()
            if row is None:
                raise RefusedError(
                    RefusalOutcome.UNKNOWN_TOKEN, "token", token, "the id of one; see `prewatt user token`"
                )
            if row.revoked_s is None:
                writing.connection.execute(update(tokens).where(tokens.c.id == token).values(revoked_s=now_s))
                log_action(writing, now_s, "token revoke", row.holder, f"token {token}")
            return writing.connection.execute(wanted).one()

        # A whole token that somebody pasted here must not be told back.
        if not is_id(token) or len(token) > _TOKEN_ID_CHARS:
            raise RefusedError(RefusalOutcome.UNKNOWN_TOKEN, "token", "the one given", "the id of one, 12 hex digits")
        return _token_answer(self._context.store.write(write))

    def _hash(self, password: str | None) -> str | None:
        return None if password is None else hash_password(check_password(password), self._context.random(SALT_BYTES))

    def _change(self, writing: Writing, name: str, changes: dict[str, Any], action: str) -> Row[Any]:
        users, now_s = schema.users, self._context.now()
        before = _known(writing, name)
        writing.connection.execute(update(users).where(users.c.name == name).values(**changes))
        owners = [row for row in writing.connection.execute(select(users).where(~users.c.disabled)) if _is_owner(row)]
        if not owners:
            raise RefusedError(RefusalOutcome.LAST_OWNER, "user", name, "a change after which there is another owner")
        if "password" in changes:
            _end_logins(writing, name, now_s)
        row = _known(writing, name)
        log_action(writing, now_s, action, name, ", ".join(sorted(changes)), before=_shown(before), after=_shown(row))
        return row


def insert_token(
    writing: Writing, context: HostContext, name: str, label: str, scopes: Sequence[str], expires_s: int | None
) -> TokenAnswer:
    """Makes a token inside the caller's commit; of logins that are over none is kept."""
    tokens, now_s = schema.tokens, context.now()
    of_user = tokens.c.holder == name
    old = tokens.delete().where(of_user, tokens.c.label == LOGIN_LABEL, tokens.c.expires_s < now_s)
    writing.connection.execute(old)
    if (
        writing.connection.execute(select(func.count()).select_from(tokens).where(of_user)).scalar_one()
        >= TOKENS_OF_USER_MAX
    ):
        raise RefusedError(RefusalOutcome.BAD_FIELD, "user", name, f"one with fewer than {TOKENS_OF_USER_MAX} tokens")
    token = Token.make(context.random)
    values = {
        "id": token.id,
        "holder": name,
        "digest": token.digest,
        "label": label,
        "scopes": json.dumps(list(scopes)),
    }
    writing.connection.execute(insert(tokens).values(**values, made_s=now_s, expires_s=expires_s, revoked_s=None))
    return TokenAnswer(token.id, name, label, tuple(scopes), now_s, expires_s, None, token.reveal())


def unknown_user(name: str) -> RefusedError:
    """For a name that nobody has."""
    return RefusedError(RefusalOutcome.UNKNOWN_USER, "user", name, "the name of a user; see `prewatt user list`")


def _roles(given: Sequence[str]) -> list[str]:
    wanted = sorted(set(given))
    if not wanted or not set(wanted) <= set(Role):
        raise RefusedError(RefusalOutcome.BAD_FIELD, "roles", ", ".join(wanted), f"some of {', '.join(Role)}")
    return wanted


def _scopes(given: Sequence[str]) -> tuple[str, ...]:
    if not set(given) <= set(Scope) - {Scope.SELF}:
        allowed = f"some of {', '.join(each for each in Scope if each is not Scope.SELF)}"
        raise RefusedError(RefusalOutcome.BAD_FIELD, "scopes", ", ".join(given), allowed)
    return tuple(sorted(set(given)))


def _find(writing: Writing, name: str) -> Row[Any] | None:
    if not is_id(name):
        return None
    return writing.connection.execute(select(schema.users).where(schema.users.c.name == name)).one_or_none()


def _known(writing: Writing, name: str) -> Row[Any]:
    row = _find(writing, name)
    if row is None:
        raise unknown_user(name)
    return row


def _is_owner(row: Row[Any]) -> bool:
    return Role.OWNER in json.loads(row.roles)


def _end_logins(writing: Writing, name: str, now_s: int) -> None:
    tokens = schema.tokens
    open_ones = (tokens.c.holder == name, tokens.c.label == LOGIN_LABEL, tokens.c.revoked_s.is_(None))
    writing.connection.execute(update(tokens).where(*open_ones).values(revoked_s=now_s))


def _shown(row: Row[Any]) -> dict[str, Any]:
    """What the log tells of a user: never a hash or a secret."""
    answer = _answer(row)
    return {
        "roles": list(answer.roles),
        "password": answer.has_password,
        "totp": answer.has_totp,
        "disabled": answer.disabled,
    }


def _answer(row: Row[Any], uri: str | None = None) -> UserAnswer:
    has = row.password is not None, row.totp is not None
    return UserAnswer(row.name, tuple(json.loads(row.roles)), *has, bool(row.disabled), row.made_s, uri)


def _token_answer(row: Row[Any]) -> TokenAnswer:
    times = row.made_s, row.expires_s, row.revoked_s
    return TokenAnswer(row.id, row.holder, row.label, tuple(json.loads(row.scopes)), *times)
