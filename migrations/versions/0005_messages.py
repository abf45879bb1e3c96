"""Messages"""

import sqlalchemy as sa
from alembic import op
import app.db.base

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('budget',
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('used', sa.Integer(), nullable=False),
    sa.Column('until', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint('used >= 0', name=op.f('ck_budget_used')),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_budget'))
    )
    op.create_index('ix_budget_until', 'budget', ['until'], unique=False)
    op.create_table('opt_out',
    sa.Column('blind', sa.String(), nullable=False),
    sa.Column('at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('blind', name=op.f('pk_opt_out'))
    )
    op.create_table('contact',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('municipality_id', sa.String(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('sealed', sa.String(), nullable=False),
    sa.Column('blind', sa.String(), nullable=False),
    sa.Column('verified_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('created_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('erase_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint("channel IN ('sms', 'email', 'line', 'push')", name=op.f('ck_contact_channel')),
    sa.ForeignKeyConstraint(['municipality_id'], ['municipality.id'], name=op.f('fk_contact_municipality_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contact')),
    sa.UniqueConstraint('blind', name=op.f('uq_contact_blind'))
    )
    op.create_index('ix_contact_erase_at', 'contact', ['erase_at'], unique=False)
    op.create_table('message_template',
    sa.Column('municipality_id', sa.String(), nullable=False),
    sa.Column('occasion', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('short', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('long', sa.String(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('changed_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('changed_by', sa.String(), nullable=False),
    sa.CheckConstraint("occasion IN ('code', 'booked', 'moved', 'cancelled', 'reminder_day', 'reminder_hours', 'soon', 'called', 'ready', 'missed', 'offer', 'receipt')", name=op.f('ck_message_template_occasion')),
    sa.ForeignKeyConstraint(['municipality_id'], ['municipality.id'], name=op.f('fk_message_template_municipality_id')),
    sa.PrimaryKeyConstraint('municipality_id', 'occasion', 'language', name=op.f('pk_message_template'))
    )
    op.create_table('delivery',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('municipality_id', sa.String(), nullable=False),
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('dedupe_key', sa.String(), nullable=False),
    sa.Column('occasion', sa.String(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('contact_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('target', sa.String(), nullable=False),
    sa.Column('text', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('strikes', sa.Integer(), nullable=False),
    sa.Column('due_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('expires_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('claim', sa.Integer(), nullable=False),
    sa.Column('claimed_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('lease_until', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('ask_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('provider_id', sa.String(), nullable=True),
    sa.Column('provider_word', sa.String(), nullable=False),
    sa.Column('link_hash', sa.String(), nullable=True),
    sa.Column('parts', sa.Integer(), nullable=False),
    sa.Column('cost_yen', sa.Integer(), nullable=False),
    sa.Column('created_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('sent_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('ended_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.CheckConstraint("channel IN ('sms', 'email', 'line', 'push')", name=op.f('ck_delivery_channel')),
    sa.CheckConstraint("occasion IN ('code', 'booked', 'moved', 'cancelled', 'reminder_day', 'reminder_hours', 'soon', 'called', 'ready', 'missed', 'offer', 'receipt')", name=op.f('ck_delivery_occasion')),
    sa.CheckConstraint("state <> 'claimed' OR lease_until IS NOT NULL", name=op.f('ck_delivery_lease')),
    sa.CheckConstraint("state IN ('queued', 'claimed', 'sent', 'delivered', 'failed', 'unknown')", name=op.f('ck_delivery_state')),
    sa.CheckConstraint("state NOT IN ('delivered', 'failed', 'unknown') OR ended_at IS NOT NULL", name=op.f('ck_delivery_ended')),
    sa.CheckConstraint("state NOT IN ('failed', 'unknown') OR reason <> ''", name=op.f('ck_delivery_reason')),
    sa.ForeignKeyConstraint(['contact_id'], ['contact.id'], name=op.f('fk_delivery_contact_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['municipality_id'], ['municipality.id'], name=op.f('fk_delivery_municipality_id')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_delivery_office_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery')),
    sa.UniqueConstraint('dedupe_key', name=op.f('uq_delivery_dedupe_key')),
    sa.UniqueConstraint('link_hash', name=op.f('uq_delivery_link_hash')),
    sa.UniqueConstraint('provider_id', name=op.f('uq_delivery_provider_id'))
    )
    op.create_index('ix_delivery_contact_id', 'delivery', ['contact_id'], unique=False)
    op.create_index('ix_delivery_due', 'delivery', ['state', 'due_at'], unique=False, sqlite_where=sa.text("state IN ('queued', 'claimed', 'sent')"), postgresql_where=sa.text("state IN ('queued', 'claimed', 'sent')"))
    op.create_index('ix_delivery_office_created', 'delivery', ['office_id', 'created_at'], unique=False)
    op.create_index('ix_delivery_target', 'delivery', ['target'], unique=False)
    op.create_table('contact_code',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('ticket_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('contact_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('created_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('expires_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('used_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['contact_id'], ['contact.id'], name=op.f('fk_contact_code_contact_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_contact_code_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contact_code'))
    )
    op.create_index('ix_contact_code_expires', 'contact_code', ['expires_at'], unique=False)
    op.create_index('ix_contact_code_ticket', 'contact_code', ['ticket_id'], unique=False)
    op.create_table('notice_wish',
    sa.Column('ticket_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('contact_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('rule', sa.String(), nullable=False),
    sa.Column('amount', sa.Integer(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint("channel IN ('sms', 'email', 'line', 'push')", name=op.f('ck_notice_wish_channel')),
    sa.CheckConstraint("rule IN ('ahead', 'minutes')", name=op.f('ck_notice_wish_rule')),
    sa.ForeignKeyConstraint(['contact_id'], ['contact.id'], name=op.f('fk_notice_wish_contact_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_notice_wish_office_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_notice_wish_ticket_id')),
    sa.PrimaryKeyConstraint('ticket_id', name=op.f('pk_notice_wish'))
    )
    op.create_index('ix_notice_wish_contact_id', 'notice_wish', ['contact_id'], unique=False)
    op.create_index('ix_notice_wish_office', 'notice_wish', ['office_id', 'active'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_notice_wish_office', table_name='notice_wish')
    op.drop_index('ix_notice_wish_contact_id', table_name='notice_wish')
    op.drop_table('notice_wish')
    op.drop_index('ix_contact_code_ticket', table_name='contact_code')
    op.drop_index('ix_contact_code_expires', table_name='contact_code')
    op.drop_table('contact_code')
    op.drop_index('ix_delivery_target', table_name='delivery')
    op.drop_index('ix_delivery_office_created', table_name='delivery')
    op.drop_index('ix_delivery_due', table_name='delivery', sqlite_where=sa.text("state IN ('queued', 'claimed', 'sent')"), postgresql_where=sa.text("state IN ('queued', 'claimed', 'sent')"))
    op.drop_index('ix_delivery_contact_id', table_name='delivery')
    op.drop_table('delivery')
    op.drop_table('message_template')
    op.drop_index('ix_contact_erase_at', table_name='contact')
    op.drop_table('contact')
    op.drop_table('opt_out')
    op.drop_index('ix_budget_until', table_name='budget')
    op.drop_table('budget')
