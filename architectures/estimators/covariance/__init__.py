"""Covariance functions of the Gaussian process; apart from it, because importing them loads scikit-learn."""
