"""Two persons for city administrators, and where a device asks from"""

import sqlalchemy as sa
from alembic import op
import app.db.base

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('approval',
    sa.Column('id', BIG_ID, autoincrement=True, nullable=False),
    sa.Column('municipality_id', sa.String(), nullable=False),
    sa.Column('account_id', BIG_ID, nullable=False),
    sa.Column('act', sa.String(), nullable=False),
    sa.Column('requested_by', BIG_ID, nullable=False),
    sa.Column('requested_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('decided_by', BIG_ID, nullable=True),
    sa.Column('decided_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('approved', sa.Boolean(), nullable=True),
    sa.CheckConstraint("act IN ('grant', 'open', 'password')", name=op.f('ck_approval_act')),
    sa.CheckConstraint(
        'approved IS NOT TRUE OR (decided_by <> requested_by AND decided_by <> account_id)',
        name=op.f('ck_approval_two_persons')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_approval_account_id')),
    sa.ForeignKeyConstraint(['decided_by'], ['account.id'], name=op.f('fk_approval_decided_by')),
    sa.ForeignKeyConstraint(['municipality_id'], ['municipality.id'], name=op.f('fk_approval_municipality_id')),
    sa.ForeignKeyConstraint(['requested_by'], ['account.id'], name=op.f('fk_approval_requested_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_approval'))
    )
    op.create_index(op.f('ix_approval_municipality_id'), 'approval', ['municipality_id'], unique=False)
    op.add_column('pairing', sa.Column('address', sa.String(), nullable=False, server_default=''))
    # For the rows that are there; the model has no default in the database.
    with op.batch_alter_table('pairing', schema=None) as batch_op:
        batch_op.alter_column('address', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('pairing', schema=None) as batch_op:
        batch_op.drop_column('address')
    op.drop_index(op.f('ix_approval_municipality_id'), table_name='approval')
    op.drop_table('approval')
