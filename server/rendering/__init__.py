"""Turn values into text a person keeps: drawings and files. Pure: values in, text out."""
