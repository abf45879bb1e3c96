"""Notes from counter to counter, and a clerk's call for help"""

import sqlalchemy as sa
from alembic import op
import app.db.base

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('ticket_note',
    sa.Column('ticket_id', BIG_ID, nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_note_ticket_id')),
    sa.PrimaryKeyConstraint('ticket_id', name=op.f('pk_ticket_note'))
    )
    op.add_column('counter', sa.Column('help_since', app.db.base.UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('counter', 'help_since')
    op.drop_table('ticket_note')
