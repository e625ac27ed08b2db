"""Arguments that several commands take."""

from typing import Annotated

import typer

SceneSource = Annotated[
    str, typer.Argument(metavar="SCENE", help="IndianPines or a file; FILE:variable names one.")
]
LabelSource = Annotated[
    str, typer.Argument(metavar="LABELS", help="IndianPines or a file; FILE:variable names one.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
