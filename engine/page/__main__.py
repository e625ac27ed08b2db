"""Write the results page: ``python -m engine.page RESULTS OUT.html``."""

import argparse
import logging
from pathlib import Path

from engine.errors import UserError
from engine.page.results import write_page


def main() -> None:
    """Write the page of a results folder, from the files in it alone."""
    parser = argparse.ArgumentParser(prog="python -m engine.page", description=main.__doc__)
    parser.add_argument("results", type=Path, help="results folder of the workflow")
    parser.add_argument("out", type=Path, help="a file that ends with .html")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        write_page(asked.results, asked.out)
    except UserError as error:
        parser.exit(2, f"page: {error}\n")


if __name__ == "__main__":
    main()
