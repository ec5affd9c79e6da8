"""The dashboard: pages that the server renders, without any script or outside asset."""
