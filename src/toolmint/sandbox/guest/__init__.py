"""What runs on the far side of the wall. Standard library only; imports nothing heavy."""
