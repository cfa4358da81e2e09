"""The built-in operators, one class in one file each; a file here is found and registered by its name."""
