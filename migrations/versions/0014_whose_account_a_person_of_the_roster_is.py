"""Whose account a person of the roster is"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

# As they were joined until now: by a name that is one account's and one person's.
BY_NAME = """
UPDATE staff_member SET account_id = (
    SELECT max(account.id) FROM account
    WHERE account.office_id = staff_member.office_id AND account.name = staff_member.name AND account.active
)
WHERE staff_member.active
AND 1 = (SELECT count(*) FROM account WHERE account.office_id = staff_member.office_id
         AND account.name = staff_member.name AND account.active)
AND 1 = (SELECT count(*) FROM staff_member AS twin WHERE twin.office_id = staff_member.office_id
         AND twin.name = staff_member.name AND twin.active)
"""


def upgrade() -> None:
    with op.batch_alter_table('staff_member') as batch_op:
        batch_op.add_column(
            sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True)
        )
        batch_op.create_foreign_key(batch_op.f('fk_staff_member_account_id'), 'account', ['account_id'], ['id'])
        batch_op.create_unique_constraint(batch_op.f('uq_staff_member_account_id'), ['account_id'])
    op.execute(BY_NAME)
