"""Files of strangers: walked, or looked through in a child process, before a parser sees them."""
