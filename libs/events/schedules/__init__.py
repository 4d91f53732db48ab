"""A loan's schedule of repayment as one pure function of its terms: quote, contract and ledger read the same rows."""
