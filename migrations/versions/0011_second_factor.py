"""A second factor for staff"""

import sqlalchemy as sa
from alembic import op
import app.db.base

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'second_factor',
        sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
        sa.Column('sealed', sa.String(), nullable=False),
        sa.Column('last_step', sa.Integer(), nullable=False),
        sa.Column('recovery', sa.JSON(), nullable=False),
        sa.Column('begun_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column('confirmed_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_second_factor_account_id')),
        sa.PrimaryKeyConstraint('account_id', name=op.f('pk_second_factor')),
    )
    op.add_column('staff_session', sa.Column('second_due', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('staff_session') as batch_op:
        batch_op.alter_column('second_due', server_default=None)
