"""Run the program as a module."""

from cekura_tui.cli.main import main

if __name__ == "__main__":
    main()
