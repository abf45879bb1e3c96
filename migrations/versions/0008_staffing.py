"""Staffing"""

import sqlalchemy as sa
from alembic import op
import app.db.base

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('roster_day',
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('draft', sa.JSON(), nullable=False),
    sa.Column('undo', sa.JSON(), nullable=False),
    sa.Column('edited_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('edited_by', sa.String(), nullable=False),
    sa.Column('published', sa.JSON(), nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('published_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('published_by', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_roster_day_office_id')),
    sa.PrimaryKeyConstraint('office_id', 'day', name=op.f('pk_roster_day'))
    )
    op.create_table('roster_search',
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('token', sa.String(), nullable=False),
    sa.Column('seconds', sa.Integer(), nullable=False),
    sa.Column('asked_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('asked_by', sa.String(), nullable=False),
    sa.Column('started_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('heard_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('ended_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('found', sa.JSON(), nullable=False),
    sa.Column('shortfall', sa.Double(), nullable=True),
    sa.Column('plans', sa.Integer(), nullable=False),
    sa.Column('error', sa.String(), nullable=False),
    sa.CheckConstraint("state IN ('asked', 'running', 'stopping', 'done', 'failed')", name=op.f('ck_roster_search_state')),
    sa.CheckConstraint('seconds BETWEEN 1 AND 600', name=op.f('ck_roster_search_seconds')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_roster_search_office_id')),
    sa.PrimaryKeyConstraint('office_id', 'day', name=op.f('pk_roster_search'))
    )
    op.create_table('staff_member',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('section', sa.String(), nullable=False),
    sa.Column('lines', sa.JSON(), nullable=False),
    sa.Column('hours', sa.JSON(), nullable=False),
    sa.Column('lunch_min', sa.Integer(), nullable=False),
    sa.Column('rest_min', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.CheckConstraint('lunch_min >= 0 AND rest_min >= 0', name=op.f('ck_staff_member_pauses')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_staff_member_office_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_member'))
    )
    op.create_index(op.f('ix_staff_member_office_id'), 'staff_member', ['office_id'], unique=False)
    op.create_table('staff_leave',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('member_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('from_min', sa.Integer(), nullable=False),
    sa.Column('until_min', sa.Integer(), nullable=False),
    sa.CheckConstraint('from_min >= 0 AND from_min < until_min AND until_min <= 1440', name=op.f('ck_staff_leave_times')),
    sa.ForeignKeyConstraint(['member_id'], ['staff_member.id'], name=op.f('fk_staff_leave_member_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_leave'))
    )
    op.create_index('ix_staff_leave_member_id_day', 'staff_leave', ['member_id', 'day'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_staff_leave_member_id_day', table_name='staff_leave')
    op.drop_table('staff_leave')
    op.drop_index(op.f('ix_staff_member_office_id'), table_name='staff_member')
    op.drop_table('staff_member')
    op.drop_table('roster_search')
    op.drop_table('roster_day')
