"""The commands of `restore`, a module a group."""
