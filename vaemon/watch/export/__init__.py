"""What is on the screen, or stands behind it, as files: pictures, moving pictures, tables."""
