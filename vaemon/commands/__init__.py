"""The commands of `vaemon`, a file each; they open what a screen or a report is handed."""
