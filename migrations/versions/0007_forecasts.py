"""Forecasts"""

import sqlalchemy as sa
from alembic import op
import app.db.base

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('forecast_night',
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('business_date', sa.Date(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('token', sa.String(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('started_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('finished_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('error', sa.String(), nullable=False),
    sa.CheckConstraint("state IN ('running', 'done', 'failed')", name=op.f('ck_forecast_night_state')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_forecast_night_office_id')),
    sa.PrimaryKeyConstraint('office_id', 'business_date', name=op.f('pk_forecast_night'))
    )
    op.create_table('forecast_interval',
    sa.Column('category_id', sa.String(), nullable=False),
    sa.Column('start_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('business_date', sa.Date(), nullable=False),
    sa.Column('expected', sa.Double(), nullable=False),
    sa.Column('low', sa.Double(), nullable=False),
    sa.Column('high', sa.Double(), nullable=False),
    sa.Column('bookings', sa.Integer(), nullable=False),
    sa.Column('now_expected', sa.Double(), nullable=True),
    sa.Column('now_low', sa.Double(), nullable=True),
    sa.Column('now_high', sa.Double(), nullable=True),
    sa.CheckConstraint('low <= expected AND expected <= high AND low >= 0', name=op.f('ck_forecast_interval_band')),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_forecast_interval_category_id')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_forecast_interval_office_id')),
    sa.PrimaryKeyConstraint('category_id', 'start_at', name=op.f('pk_forecast_interval'))
    )
    op.create_index('ix_forecast_interval_office_id_business_date', 'forecast_interval', ['office_id', 'business_date'], unique=False)
    op.create_table('forecast_series',
    sa.Column('category_id', sa.String(), nullable=False),
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('attempted_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('error', sa.String(), nullable=False),
    sa.Column('made_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('model', sa.String(), nullable=False),
    sa.Column('scores', sa.JSON(), nullable=False),
    sa.Column('history_days', sa.Integer(), nullable=False),
    sa.Column('day_wape', sa.Double(), nullable=True),
    sa.Column('cover', sa.Double(), nullable=True),
    sa.Column('low_z', sa.Double(), nullable=False),
    sa.Column('high_z', sa.Double(), nullable=False),
    sa.Column('cpu_seconds', sa.Double(), nullable=False),
    sa.Column('peak_mb', sa.Double(), nullable=False),
    sa.Column('reforecast_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_forecast_series_category_id')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_forecast_series_office_id')),
    sa.PrimaryKeyConstraint('category_id', name=op.f('pk_forecast_series'))
    )
    op.create_index('ix_forecast_series_office_id', 'forecast_series', ['office_id'], unique=False)
    op.create_table('service_rate',
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('service_id', sa.String(), nullable=False),
    sa.Column('hour', sa.Integer(), nullable=False),
    sa.Column('category_id', sa.String(), nullable=False),
    sa.Column('share', sa.Double(), nullable=False),
    sa.Column('minutes', sa.Double(), nullable=False),
    sa.Column('spread', sa.Double(), nullable=False),
    sa.Column('no_show', sa.Double(), nullable=False),
    sa.Column('samples', sa.Integer(), nullable=False),
    sa.CheckConstraint('hour BETWEEN -1 AND 23', name=op.f('ck_service_rate_hour')),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_service_rate_category_id')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_service_rate_office_id')),
    sa.ForeignKeyConstraint(['service_id'], ['service.id'], name=op.f('fk_service_rate_service_id')),
    sa.PrimaryKeyConstraint('office_id', 'service_id', 'hour', name=op.f('pk_service_rate'))
    )
    op.create_table('past_visit',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('office_id', sa.String(), nullable=False),
    sa.Column('business_date', sa.Date(), nullable=False),
    sa.Column('category_id', sa.String(), nullable=False),
    sa.Column('service_id', sa.String(), nullable=False),
    sa.Column('issued_at', app.db.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('called_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('started_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('finished_at', app.db.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('counter', sa.String(), nullable=False),
    sa.Column('booked', sa.Boolean(), nullable=False),
    sa.Column('no_show', sa.Boolean(), nullable=False),
    sa.Column('step_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('fingerprint', sa.String(), nullable=True),
    sa.CheckConstraint('(step_id IS NULL) <> (fingerprint IS NULL)', name=op.f('ck_past_visit_source')),
    sa.CheckConstraint('called_at IS NULL OR called_at >= issued_at', name=op.f('ck_past_visit_called')),
    sa.CheckConstraint('finished_at IS NULL OR finished_at >= called_at', name=op.f('ck_past_visit_finished')),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_past_visit_category_id')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_past_visit_office_id')),
    sa.ForeignKeyConstraint(['service_id'], ['service.id'], name=op.f('fk_past_visit_service_id')),
    sa.ForeignKeyConstraint(['step_id'], ['step.id'], name=op.f('fk_past_visit_step_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_past_visit')),
    sa.UniqueConstraint('office_id', 'fingerprint', name=op.f('uq_past_visit_office_id_fingerprint')),
    sa.UniqueConstraint('step_id', name=op.f('uq_past_visit_step_id'))
    )
    op.create_index('ix_past_visit_category_id_issued_at', 'past_visit', ['category_id', 'issued_at'], unique=False)
    op.create_index('ix_past_visit_office_id_business_date', 'past_visit', ['office_id', 'business_date'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_past_visit_office_id_business_date', table_name='past_visit')
    op.drop_index('ix_past_visit_category_id_issued_at', table_name='past_visit')
    op.drop_table('past_visit')
    op.drop_table('service_rate')
    op.drop_index('ix_forecast_series_office_id', table_name='forecast_series')
    op.drop_table('forecast_series')
    op.drop_index('ix_forecast_interval_office_id_business_date', table_name='forecast_interval')
    op.drop_table('forecast_interval')
    op.drop_table('forecast_night')
