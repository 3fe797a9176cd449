"""The paper's figures: what is drawn, as values, and the two ways to draw it."""
