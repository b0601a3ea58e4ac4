"""How marks and names look in every picture."""
