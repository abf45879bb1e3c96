"""How much a line's mornings say about its afternoons"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('forecast_series', sa.Column('held_share', sa.Double(), nullable=True))
