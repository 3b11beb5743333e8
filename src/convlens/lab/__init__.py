"""The lab: a page on which one draws, looks inside networks, trains them and reads the studies."""
