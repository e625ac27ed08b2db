"""What is done to a clean cube: noise, stripes, dead lines, impulses."""
