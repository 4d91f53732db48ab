"""The rules of repayment as pure functions: one module per aggregate, and the formulas they share."""
