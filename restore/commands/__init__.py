"""The commands of `restore`, a module a group; what they need is imported when they run."""
