"""Payments"""

import sqlalchemy as sa
from alembic import op
import app.db.base

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('payment_event',
    sa.Column('gateway', sa.String(), nullable=False),
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('object_kind', sa.String(), nullable=False),
    sa.Column('object_id', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('heard_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('look_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('looks', sa.Integer(), nullable=False),
    sa.CheckConstraint("state IN ('heard', 'applied', 'ignored', 'parked', 'alarm')", name=op.f('ck_payment_event_state')),
    sa.PrimaryKeyConstraint('gateway', 'id', name=op.f('pk_payment_event'))
    )
    op.create_index('ix_payment_event_open', 'payment_event', ['look_at'], unique=False, sqlite_where=sa.text("state IN ('heard', 'parked')"), postgresql_where=sa.text("state IN ('heard', 'parked')"))
    op.create_table('reference_line',
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('business_date', sa.Date(), nullable=False),
    sa.Column('last', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_reference_line_office_id')),
    sa.PrimaryKeyConstraint('office_id', 'business_date', name=op.f('pk_reference_line'))
    )
    op.create_table('settlement',
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('business_date', sa.Date(), nullable=False),
    sa.Column('closed_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('received_yen', sa.Integer(), nullable=False),
    sa.Column('refunded_yen', sa.Integer(), nullable=False),
    sa.Column('rows', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_settlement_office_id')),
    sa.PrimaryKeyConstraint('office_id', 'business_date', name=op.f('pk_settlement'))
    )
    op.create_table('payment',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('ticket_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('booking_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('business_date', sa.Date(), nullable=False),
    sa.Column('reference', sa.String(), nullable=False),
    sa.Column('seed', sa.String(), nullable=False),
    sa.Column('token_hash', sa.String(), nullable=False),
    sa.Column('receipts', sa.Integer(), nullable=False),
    sa.Column('created_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint('(ticket_id IS NULL) <> (booking_id IS NULL)', name=op.f('ck_payment_one_visit')),
    sa.ForeignKeyConstraint(['booking_id'], ['booking.id'], name=op.f('fk_payment_booking_id')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_payment_office_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_payment_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payment')),
    sa.UniqueConstraint('booking_id', name=op.f('uq_payment_booking_id')),
    sa.UniqueConstraint('office_id', 'reference', name=op.f('uq_payment_office_id_reference')),
    sa.UniqueConstraint('ticket_id', name=op.f('uq_payment_ticket_id')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_payment_token_hash'))
    )
    op.create_table('payment_attempt',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('payment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('gateway', sa.String(), nullable=False),
    sa.Column('method', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('amount_yen', sa.Integer(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('lines', sa.JSON(), nullable=False),
    sa.Column('asked', sa.JSON(), nullable=False),
    sa.Column('provider_id', sa.String(), nullable=True),
    sa.Column('provider_payment', sa.String(), nullable=True),
    sa.Column('checkout_url', sa.String(), nullable=True),
    sa.Column('paid_with', sa.String(), nullable=False),
    sa.Column('slip', sa.String(), nullable=True),
    sa.Column('counter_id', sa.String(), nullable=True),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('created_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('expires_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('look_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('looks', sa.Integer(), nullable=False),
    sa.Column('paid_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('booked_on', sa.Date(), nullable=True),
    sa.Column('refunded_yen', sa.Integer(), nullable=False),
    sa.Column('superseded', sa.Boolean(), nullable=False),
    sa.Column('alarm', sa.String(), nullable=True),
    sa.CheckConstraint("method IN ('online', 'cash', 'terminal')", name=op.f('ck_payment_attempt_method')),
    sa.CheckConstraint("state IN ('created', 'processing', 'failed', 'succeeded', 'refunded')", name=op.f('ck_payment_attempt_state')),
    sa.CheckConstraint("state NOT IN ('succeeded', 'refunded') OR booked_on IS NOT NULL", name=op.f('ck_payment_attempt_booked')),
    sa.CheckConstraint('amount_yen > 0', name=op.f('ck_payment_attempt_amount')),
    sa.CheckConstraint('refunded_yen BETWEEN 0 AND amount_yen', name=op.f('ck_payment_attempt_refunded')),
    sa.ForeignKeyConstraint(['counter_id'], ['counter.id'], name=op.f('fk_payment_attempt_counter_id')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_payment_attempt_office_id')),
    sa.ForeignKeyConstraint(['payment_id'], ['payment.id'], name=op.f('fk_payment_attempt_payment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payment_attempt')),
    sa.UniqueConstraint('gateway', 'provider_id', name=op.f('uq_payment_attempt_gateway_provider_id')),
    sa.UniqueConstraint('key', name=op.f('uq_payment_attempt_key')),
    sa.UniqueConstraint('payment_id', 'number', name=op.f('uq_payment_attempt_payment_id_number'))
    )
    op.create_index('ix_payment_attempt_booked', 'payment_attempt', ['office_id', 'booked_on'], unique=False)
    op.create_index('ix_payment_attempt_charge', 'payment_attempt', ['provider_payment'], unique=False)
    op.create_index('ix_payment_attempt_due', 'payment_attempt', ['look_at'], unique=False, sqlite_where=sa.text("state IN ('created', 'processing')"), postgresql_where=sa.text("state IN ('created', 'processing')"))
    op.create_index('uq_payment_attempt_live', 'payment_attempt', ['payment_id'], unique=True, sqlite_where=sa.text("state IN ('created', 'processing')"), postgresql_where=sa.text("state IN ('created', 'processing')"))
    op.create_index('uq_payment_attempt_slip', 'payment_attempt', ['office_id', 'booked_on', 'slip'], unique=True, sqlite_where=sa.text('slip IS NOT NULL'), postgresql_where=sa.text('slip IS NOT NULL'))
    op.create_table('payment_line',
    sa.Column('payment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('service_id', sa.String(), nullable=False),
    sa.Column('unit_yen', sa.Integer(), nullable=False),
    sa.Column('copies', sa.Integer(), nullable=False),
    sa.Column('exemption', sa.String(), nullable=True),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint('copies >= 0', name=op.f('ck_payment_line_copies')),
    sa.ForeignKeyConstraint(['payment_id'], ['payment.id'], name=op.f('fk_payment_line_payment_id')),
    sa.ForeignKeyConstraint(['service_id'], ['service.id'], name=op.f('fk_payment_line_service_id')),
    sa.PrimaryKeyConstraint('payment_id', 'service_id', name=op.f('pk_payment_line'))
    )
    op.create_table('refund',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('attempt_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('amount_yen', sa.Integer(), nullable=False),
    sa.Column('lines', sa.JSON(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('requested_by', sa.String(), nullable=False),
    sa.Column('requested_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('decided_by', sa.String(), nullable=True),
    sa.Column('decided_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('sent_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('look_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('looks', sa.Integer(), nullable=False),
    sa.Column('provider_id', sa.String(), nullable=True),
    sa.Column('done_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('booked_on', sa.Date(), nullable=True),
    sa.Column('alarm', sa.String(), nullable=True),
    sa.CheckConstraint("state <> 'done' OR booked_on IS NOT NULL", name=op.f('ck_refund_booked')),
    sa.CheckConstraint("state IN ('requested', 'declined', 'sending', 'done', 'failed')", name=op.f('ck_refund_state')),
    sa.CheckConstraint('amount_yen > 0', name=op.f('ck_refund_amount')),
    sa.CheckConstraint('decided_by IS NULL OR decided_by <> requested_by', name=op.f('ck_refund_two_persons')),
    sa.ForeignKeyConstraint(['attempt_id'], ['payment_attempt.id'], name=op.f('fk_refund_attempt_id')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_refund_office_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_refund')),
    sa.UniqueConstraint('key', name=op.f('uq_refund_key'))
    )
    op.create_index('ix_refund_attempt', 'refund', ['attempt_id'], unique=False)
    op.create_index('ix_refund_booked', 'refund', ['office_id', 'booked_on'], unique=False)
    op.create_index('ix_refund_sending', 'refund', ['look_at'], unique=False, sqlite_where=sa.text("state = 'sending'"), postgresql_where=sa.text("state = 'sending'"))


def downgrade() -> None:
    op.drop_index('ix_refund_sending', table_name='refund', sqlite_where=sa.text("state = 'sending'"), postgresql_where=sa.text("state = 'sending'"))
    op.drop_index('ix_refund_booked', table_name='refund')
    op.drop_index('ix_refund_attempt', table_name='refund')
    op.drop_table('refund')
    op.drop_table('payment_line')
    op.drop_index('uq_payment_attempt_slip', table_name='payment_attempt', sqlite_where=sa.text('slip IS NOT NULL'), postgresql_where=sa.text('slip IS NOT NULL'))
    op.drop_index('uq_payment_attempt_live', table_name='payment_attempt', sqlite_where=sa.text("state IN ('created', 'processing')"), postgresql_where=sa.text("state IN ('created', 'processing')"))
    op.drop_index('ix_payment_attempt_due', table_name='payment_attempt', sqlite_where=sa.text("state IN ('created', 'processing')"), postgresql_where=sa.text("state IN ('created', 'processing')"))
    op.drop_index('ix_payment_attempt_charge', table_name='payment_attempt')
    op.drop_index('ix_payment_attempt_booked', table_name='payment_attempt')
    op.drop_table('payment_attempt')
    op.drop_table('payment')
    op.drop_table('settlement')
    op.drop_table('reference_line')
    op.drop_index('ix_payment_event_open', table_name='payment_event', sqlite_where=sa.text("state IN ('heard', 'parked')"), postgresql_where=sa.text("state IN ('heard', 'parked')"))
    op.drop_table('payment_event')
