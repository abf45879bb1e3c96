"""Bookings"""

import sqlalchemy as sa
from alembic import op
import app.db.base

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('category', sa.Column('booking', sa.JSON(), server_default='{}', nullable=False))
    op.create_table('slot',
    sa.Column('pool', sa.String(), nullable=False),
    sa.Column('start_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('category_id', sa.String(), nullable=False),
    sa.Column('capacity', sa.Integer(), nullable=False),
    sa.Column('staff_only', sa.Integer(), nullable=False),
    sa.Column('used', sa.Integer(), nullable=False),
    sa.Column('staff_used', sa.Integer(), nullable=False),
    sa.Column('set_capacity', sa.Integer(), nullable=True),
    sa.CheckConstraint('used <= capacity', name=op.f('ck_slot_capacity')),
    sa.CheckConstraint('used >= 0 AND staff_used >= 0 AND staff_used <= used', name=op.f('ck_slot_used')),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_slot_category_id')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_slot_office_id')),
    sa.PrimaryKeyConstraint('pool', 'start_at', name=op.f('pk_slot'))
    )
    op.create_index('ix_slot_office_start', 'slot', ['office_id', 'start_at'], unique=False)
    op.create_table('booking',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('municipality_id', sa.String(), nullable=False),
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('reference', sa.String(), nullable=True),
    sa.Column('seed', sa.String(), nullable=False),
    sa.Column('token_hash', sa.String(), nullable=False),
    sa.Column('category_id', sa.String(), nullable=False),
    sa.Column('services', sa.JSON(), nullable=False),
    sa.Column('plan', sa.JSON(), nullable=False),
    sa.Column('party', sa.Integer(), nullable=False),
    sa.Column('business_date', sa.Date(), nullable=False),
    sa.Column('start_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('end_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('no_show_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('staff', sa.Boolean(), nullable=False),
    sa.Column('holder', sa.String(), nullable=True),
    sa.Column('expires_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('created_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('confirmed_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('ended_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('changed_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('moves', sa.Integer(), nullable=False),
    sa.Column('ticket_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('sealed_name', sa.String(), nullable=True),
    sa.Column('sealed_phone', sa.String(), nullable=True),
    sa.Column('sealed_email', sa.String(), nullable=True),
    sa.Column('sealed_notes', sa.String(), nullable=True),
    sa.Column('name_index', sa.String(), nullable=True),
    sa.Column('phone_index', sa.String(), nullable=True),
    sa.Column('email_index', sa.String(), nullable=True),
    sa.Column('contact_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('erased_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.CheckConstraint("channel IN ('web', 'kiosk', 'staff', 'api', 'waiting_list')", name=op.f('ck_booking_channel')),
    sa.CheckConstraint("state <> 'arrived' OR ticket_id IS NOT NULL", name=op.f('ck_booking_arrived')),
    sa.CheckConstraint("state <> 'held' OR expires_at IS NOT NULL", name=op.f('ck_booking_held')),
    sa.CheckConstraint("state IN ('held', 'booked', 'arrived', 'cancelled', 'expired', 'no_show')", name=op.f('ck_booking_state')),
    sa.CheckConstraint("state IN ('held', 'expired', 'cancelled') OR reference IS NOT NULL", name=op.f('ck_booking_reference')),
    sa.CheckConstraint('party >= 1 AND start_at < end_at', name=op.f('ck_booking_party')),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_booking_category_id')),
    sa.ForeignKeyConstraint(['municipality_id'], ['municipality.id'], name=op.f('fk_booking_municipality_id')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_booking_office_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_booking_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_booking')),
    sa.UniqueConstraint('reference', name=op.f('uq_booking_reference')),
    sa.UniqueConstraint('ticket_id', name=op.f('uq_booking_ticket_id')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_booking_token_hash'))
    )
    op.create_index('ix_booking_day', 'booking', ['office_id', 'business_date', 'start_at'], unique=False)
    op.create_index('ix_booking_email_index', 'booking', ['email_index'], unique=False)
    op.create_index('ix_booking_held', 'booking', ['office_id', 'expires_at'], unique=False, sqlite_where=sa.text("state = 'held'"), postgresql_where=sa.text("state = 'held'"))
    op.create_index('ix_booking_holder', 'booking', ['holder'], unique=False, sqlite_where=sa.text("state = 'held'"), postgresql_where=sa.text("state = 'held'"))
    op.create_index('ix_booking_kept', 'booking', ['office_id', 'end_at'], unique=False, sqlite_where=sa.text('erased_at IS NULL'), postgresql_where=sa.text('erased_at IS NULL'))
    op.create_index('ix_booking_name_index', 'booking', ['name_index'], unique=False)
    op.create_index('ix_booking_no_show', 'booking', ['office_id', 'no_show_at'], unique=False, sqlite_where=sa.text("state = 'booked'"), postgresql_where=sa.text("state = 'booked'"))
    op.create_index('ix_booking_phone_index', 'booking', ['phone_index'], unique=False)
    op.create_table('booking_place',
    sa.Column('booking_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('pool', sa.String(), nullable=False),
    sa.Column('start_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('places', sa.Integer(), nullable=False),
    sa.CheckConstraint('places >= 1', name=op.f('ck_booking_place_places')),
    sa.ForeignKeyConstraint(['booking_id'], ['booking.id'], name=op.f('fk_booking_place_booking_id')),
    sa.PrimaryKeyConstraint('booking_id', 'pool', 'start_at', name=op.f('pk_booking_place'))
    )
    op.create_index('ix_booking_place_cell', 'booking_place', ['pool', 'start_at'], unique=False)
    op.create_table('booking_event',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('booking_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('action', sa.String(), nullable=False),
    sa.Column('before', sa.String(), nullable=True),
    sa.Column('after', sa.String(), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=True),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['booking_id'], ['booking.id'], name=op.f('fk_booking_event_booking_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_booking_event'))
    )
    op.create_index('ix_booking_event_booking', 'booking_event', ['booking_id'], unique=False)
    op.create_table('booking_wish',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('seed', sa.String(), nullable=False),
    sa.Column('token_hash', sa.String(), nullable=False),
    sa.Column('services', sa.JSON(), nullable=False),
    sa.Column('party', sa.Integer(), nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('contact_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('contact_index', sa.String(), nullable=True),
    sa.Column('created_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('changed_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('offers', sa.Integer(), nullable=False),
    sa.Column('booking_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint("state <> 'offered' OR booking_id IS NOT NULL", name=op.f('ck_booking_wish_offered')),
    sa.CheckConstraint("state IN ('waiting', 'offered', 'taken', 'lapsed', 'withdrawn')", name=op.f('ck_booking_wish_state')),
    sa.CheckConstraint('first_day <= last_day AND party >= 1', name=op.f('ck_booking_wish_days')),
    sa.ForeignKeyConstraint(['booking_id'], ['booking.id'], name=op.f('fk_booking_wish_booking_id')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_booking_wish_office_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_booking_wish')),
    sa.UniqueConstraint('booking_id', name=op.f('uq_booking_wish_booking_id')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_booking_wish_token_hash'))
    )
    op.create_index('ix_booking_wish_contact_index', 'booking_wish', ['contact_index'], unique=False)
    op.create_index('ix_booking_wish_open', 'booking_wish', ['office_id', 'id'], unique=False, sqlite_where=sa.text("state IN ('waiting', 'offered')"), postgresql_where=sa.text("state IN ('waiting', 'offered')"))


def downgrade() -> None:
    op.drop_table('booking_wish')
    op.drop_table('booking_event')
    op.drop_table('booking_place')
    op.drop_table('booking')
    op.drop_table('slot')
    op.drop_column('category', 'booking')
