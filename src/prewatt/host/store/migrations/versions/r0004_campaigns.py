"""Campaigns and programs.

Revision 0004, after 0003.
"""

__all__ = ["branch_labels", "depends_on", "down_revision", "downgrade", "revision", "upgrade"]

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes what is new in this format."""


def downgrade() -> None:
    """A format is never taken back."""
    raise RuntimeError("a format is not taken back; put a backup in its place")
