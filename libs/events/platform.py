"""The platform's own accounts: it has a part in no debt, no loss and no thing (domain.md section 9), so whoever names an account asks here."""

from typing import Final

#: A stream of its own that nobody owns, opened by the first fee.
FEE_ACCOUNT: Final = "acc_fees"
#: It pays vouchers.
MARKETING_ACCOUNT: Final = "acc_marketing"
PLATFORM_ACCOUNTS: Final = (FEE_ACCOUNT, MARKETING_ACCOUNT)
