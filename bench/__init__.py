"""FarField: what does a neural network answer far away from everything it was trained on?"""
