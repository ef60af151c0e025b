"""Addresses of areas and stations, polling, and what the boxes of the field tell of themselves.

Revision 0002, after 0001.
"""

__all__ = ["branch_labels", "depends_on", "down_revision", "downgrade", "revision", "upgrade"]

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes what is new in this format."""


def downgrade() -> None:
    """A format is never taken back."""
    raise RuntimeError("a format is not taken back; put a backup in its place")
