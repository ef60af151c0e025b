"""What a database that was restored from a backup does first: every meter is out of step until it has answered (R7)."""

from sqlalchemy import update

from prewatt.host.booking import book_changes
from prewatt.host.context import HostContext, log_action
from prewatt.host.meterkeys import doubt_all
from prewatt.host.store import Hot, Writing, schema
from prewatt.host.store.books import read_books, take_book
from prewatt.protocol.transfer import NO_EPOCH, restored

__all__ = ["unsync_all"]


def unsync_all(writing: Writing, context: HostContext, generation: int) -> tuple[int, dict[str, int]]:
    """Sets every meter out of step; gives the number of the commit that this will be, and each meter's highest epoch
    where it ever had one."""
    now_s, asked = context.now(), dict[str, int]()
    for meter, _ in list(read_books(writing.connection)):
        before = take_book(writing, meter)
        highest = context.generation.highest_epoch(meter)
        after, changes = restored(before, NO_EPOCH if highest is None else highest)
        book_changes(writing, meter, before, after, changes, at_s=now_s)
        if after.epoch > NO_EPOCH:
            asked[meter] = after.epoch
    doubt_all(writing)
    writing.connection.execute(update(schema.mark).values(generation=generation))
    log_action(writing, now_s, "restore recognised", context.installation.id, f"generation {generation}")
    (commits,) = writing.run(Hot.COMMITS).fetchone()
    return int(commits) + 1, asked
