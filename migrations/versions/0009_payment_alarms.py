"""Payment alarms looked into"""

import sqlalchemy as sa
from alembic import op
import app.db.base

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('payment_attempt', sa.Column('alarm_seen_at', app.db.base.UtcDateTime(timezone=True), nullable=True))
    op.add_column('payment_attempt', sa.Column('alarm_seen_by', sa.String(), nullable=True))
    op.add_column('payment_attempt', sa.Column('alarm_note', sa.String(), nullable=True))
    op.create_index(
        'ix_payment_attempt_alarm', 'payment_attempt', ['office_id'], unique=False,
        sqlite_where=sa.text('alarm IS NOT NULL'), postgresql_where=sa.text('alarm IS NOT NULL'),
    )
