"""Images with rational polynomial coefficients: their models, in every spelling, and their radiometry."""
