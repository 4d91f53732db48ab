"""The only code that meets Kafka, Faust, MongoDB, RocksDB, HTTP plumbing, metrics and the command line."""
