"""The pure core: a fold over inputs. No clock, randomness, lock, log, file or socket in here."""
