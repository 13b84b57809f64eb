"""An hour of everything at once, and a fault each minute: nothing may be lost, and nothing may grow."""
