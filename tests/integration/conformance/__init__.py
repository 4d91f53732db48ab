"""The same scenarios on the log in memory and on a real broker: whatever the simulation has proved is proved of Kafka, too."""
