"""The built-in norm kinds, one file each: options, layer, how it grows, what it bounds, its fast link.

No file here loads torch when it is imported: what needs it imports it on use.
"""
