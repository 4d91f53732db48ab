"""The views of repayment: pure functions from its events to changes of documents."""
