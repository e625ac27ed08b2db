"""Ways to denoise a cube, measured: on scenes whose truth is known, and by what follows."""
