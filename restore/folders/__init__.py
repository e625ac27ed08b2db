"""Thousands of files: listed, denoised, journalled, resumed."""
