"""The families of cases. Each module registers its own with ``family``; importing this package imports them all."""
