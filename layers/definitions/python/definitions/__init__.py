"""The definitions of this project, one file each."""
