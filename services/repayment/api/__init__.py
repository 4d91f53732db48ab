"""What people may ask of repayment over HTTP: the calendar, their loans, the book's buckets."""
