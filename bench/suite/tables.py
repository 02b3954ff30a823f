def write_documentation(path): return 0
