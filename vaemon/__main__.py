"""`python -m vaemon`."""

from vaemon.cli import main

if __name__ == "__main__":
    main()
