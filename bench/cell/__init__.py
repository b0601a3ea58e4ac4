"""One cell in a worker: admission, training, probing, worst case, outcome."""
