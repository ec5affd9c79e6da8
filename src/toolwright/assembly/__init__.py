"""Where parts become a program: settings, and the one place that names adapters."""
