"""The tables and figures of Asperti & Trentin 2020, made of one's own runs and set beside the printed ones."""
