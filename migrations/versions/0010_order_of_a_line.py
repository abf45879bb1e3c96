"""The whole order of a line in its index"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

ORDER = ['category_id', 'business_date', 'due_at', 'arrived_at', 'serial']
WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    op.drop_index('ix_step_line', table_name='step')
    op.create_index('ix_step_line', 'step', [*ORDER, 'id'], sqlite_where=WAITING, postgresql_where=WAITING)
