"""The half of a day somebody on the waiting list can come in"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('booking_wish', sa.Column('half', sa.String(), nullable=False, server_default='either'))
    # For the rows that are there, which were asked for any time; the model has no default in the database.
    with op.batch_alter_table('booking_wish') as batch_op:
        batch_op.alter_column('half', server_default=None)
        batch_op.create_check_constraint(
            batch_op.f('ck_booking_wish_half'), "half IN ('either', 'morning', 'afternoon')"
        )
