"""Files of strangers: walked, or looked through in a child process, before a C parser sees them."""
