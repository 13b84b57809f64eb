"""Programs for those who work on Stormcell."""
