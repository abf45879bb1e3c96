"""Feedback of one tap after a visit"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'feedback',
        sa.Column('key', sa.String(), nullable=False),
        sa.Column('office_id', sa.String(), nullable=False),
        sa.Column('business_date', sa.Date(), nullable=False),
        sa.Column('category_id', sa.String(), nullable=False),
        sa.Column('service_id', sa.String(), nullable=False),
        sa.Column('verdict', sa.String(), nullable=False),
        sa.Column('topic', sa.String(), nullable=True),
        sa.CheckConstraint("verdict IN ('good', 'fair', 'bad')", name=op.f('ck_feedback_verdict')),
        sa.CheckConstraint(
            "topic IN ('wait', 'explanation', 'manner', 'way', 'papers', 'machine')", name=op.f('ck_feedback_topic')
        ),
        sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_feedback_office_id')),
        sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_feedback_category_id')),
        sa.ForeignKeyConstraint(['service_id'], ['service.id'], name=op.f('fk_feedback_service_id')),
        sa.PrimaryKeyConstraint('key', name=op.f('pk_feedback')),
    )
    op.create_index('ix_feedback_office_id_business_date', 'feedback', ['office_id', 'business_date'])
